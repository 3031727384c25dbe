/* What is read on, and until when. */
#include "drain.h"
#include "../preload/verdict.h"

#include <errno.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a program may take for an exec. */
#define HOLD UINT64_C(10000000000)

/* How long a thread that sleeps in a read may take to wake up. */
#define YIELD (HC_DRAIN_YIELD_MS * UINT64_C(1000000))

/* Reads without a turn of the loop: nobody who floods us starves the others. */
enum { AT_ONCE = 16 };

/* The loop's own. */
static int epoll_set;

void sockets_init(int epoll)
{
	epoll_set = epoll;
}

/* When all that are watched must have ended. */
static uint64_t latest = UINT64_MAX;

void sockets_end_by(uint64_t end)
{
	latest = end;
	for (uint32_t number = slot_oldest(); number; number = slot_newer(number)) {
		struct slot *slot = slot_of(number);
		slot->end = least(slot->end, end);
		slot_set_deadline(number, least(slot->deadline, end));
	}
}

struct counts {
	uint64_t acked, received;
	uint64_t unacked; /* ~0: not known */
};

static struct counts count(int fd)
{
	struct tcp_info info;
	struct hc_facts facts = { 0 };
	socklen_t size = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return (struct counts){ .unacked = UINT64_MAX };
	struct hc_tcp_counts counts = {
		.bytes_sent = info.tcpi_bytes_sent,
		.bytes_retrans = info.tcpi_bytes_retrans,
		.bytes_acked = info.tcpi_bytes_acked,
		.bytes_received = info.tcpi_bytes_received,
		.notsent = info.tcpi_notsent_bytes,
	};
	facts.state = (enum hc_state)info.tcpi_state;
	/* who connected is not known here: one byte at most, of the SYN */
	hc_count(&facts, &counts, false);
	return (struct counts){ info.tcpi_bytes_acked, info.tcpi_bytes_received, facts.unacked };
}

void socket_end(uint32_t number, enum hc_result result)
{
	struct slot *slot = slot_of(number);
	if (slot->is_connection)
		sockets_release(number, true);
	else if (!slot->holder) {
		log_drain(slot, result, slot->path ? count(slot->fd).unacked : UINT64_MAX);
	}
	log_close(slot->path);
	/* the program may have its own still: then the set would not forget it */
	epoll_ctl(epoll_set, EPOLL_CTL_DEL, slot->fd, NULL);
	close(slot->fd);
	slot_give(number);
}

static void put_off(uint32_t number, uint64_t from)
{
	const struct slot *slot = slot_of(number);
	slot_set_deadline(number, least(from + slot->quiet, slot->end));
}

/* One that yields is watched for one event, so that it can be left alone. */
static void watch(uint32_t number, int operation)
{
	struct slot *slot = slot_of(number);
	uint32_t once = slot->yields ? EPOLLONESHOT : 0;
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | once, .data.u32 = number };
	if (epoll_ctl(epoll_set, operation, slot->fd, &event))
		socket_end(number, HC_RESULT_error);
}

static void read_on(uint32_t number)
{
	struct slot *slot = slot_of(number);
	bool any = false;
	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n = recv(slot->fd, NULL, INT_MAX, MSG_TRUNC | MSG_DONTWAIT);
		if (n > 0) {
			any = true;
			slot->drained += (uint64_t)n;
			if ((uint64_t)n < slot->bytes) {
				slot->bytes -= (uint64_t)n;
				continue;
			}
			socket_end(number, HC_RESULT_limit);
			return;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		socket_end(number, !n ? HC_RESULT_eof : errno == ECONNRESET ? HC_RESULT_reset : HC_RESULT_error);
		return;
	}
	if (any)
		put_off(number, now());
}

/* What came is first of all for whoever slept until now; only where nobody takes
 * it, it is ours. */
static uint64_t unread(int fd)
{
	ssize_t n = recv(fd, NULL, INT_MAX, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	return n > 0 ? (uint64_t)n : 0;
}

static void yield(uint32_t number)
{
	struct slot *slot = slot_of(number);
	slot->waits = true;
	slot->moments = 0;
	slot->received = count(slot->fd).received;
	slot_set_deadline(number, least(now() + YIELD, slot->end));
}

static bool is_left(const struct slot *slot)
{
	uint64_t left = unread(slot->fd);
	return hc_drain_is_left(left, slot->received, count(slot->fd).received);
}

static void has_yielded(uint32_t number, uint64_t at)
{
	struct slot *slot = slot_of(number);
	bool left = is_left(slot);
	if (left && ++slot->moments < HC_DRAIN_YIELDS_MOST && host_is_on_its_way(slot->host)) {
		slot_set_deadline(number, least(at + YIELD, slot->end));
		return;
	}
	/* once more: whoever was on its way may have been there meanwhile */
	slot->yields = !left || !is_left(slot);
	slot->waits = false;
	put_off(number, at);
	watch(number, EPOLL_CTL_MOD);
}

void socket_readable(uint32_t number, uint32_t events)
{
	struct slot *slot = slot_of(number);
	if (!slot->yields || events & EPOLLERR)
		read_on(number);
	else if (unread(slot->fd))
		yield(number);
	else if (events & (EPOLLRDHUP | EPOLLHUP))
		read_on(number);
	else
		watch(number, EPOLL_CTL_MOD);
}

/* Nothing came for a while. Whoever still takes our answer is not quiet. */
void socket_due(uint32_t number, uint64_t at)
{
	struct slot *slot = slot_of(number);
	if (slot->is_connection || slot->holder) {
		socket_end(number, HC_RESULT_error);
		return;
	}
	if (slot->waits && at < slot->end) {
		has_yielded(number, at);
		return;
	}
	uint64_t acked = count(slot->fd).acked;
	if (at >= slot->end) {
		socket_end(number, HC_RESULT_timeout);
	} else if (acked != slot->acked) {
		slot->acked = acked;
		put_off(number, at);
	} else {
		socket_end(number, HC_RESULT_quiet);
	}
}

static uint32_t fill(int fd, uint64_t deadline, const struct hc_drain_message *message, const char *path)
{
	workers_keep_bound();
	uint32_t number = slot_take(fd, deadline);
	if (!number) {
		socket_end(slot_oldest(), HC_RESULT_limit);
		number = slot_take(fd, deadline);
	}
	struct slot *slot = slot_of(number);
	slot->since = message->since;
	slot->end = least(message->since + message->time, latest);
	slot->quiet = message->quiet;
	slot->bytes = message->bytes;
	slot->drained = message->drained;
	slot->unacked = message->unacked;
	slot->yields = message->flags & HC_DRAIN_YIELDS;
	slot->waits = false;
	slot->socket = message->socket;
	slot->pid = message->pid;
	slot->tid = message->tid;
	slot->path = log_open(path);
	return number;
}

static void begin(uint32_t number)
{
	struct slot *slot = slot_of(number);
	slot->acked = count(slot->fd).acked;
	put_off(number, now());
	watch(number, EPOLL_CTL_ADD);
}

void socket_begin(int fd, uint32_t host, const struct hc_drain_message *message, const char *path)
{
	uint32_t number = fill(fd, now(), message, path);
	slot_of(number)->host = host;
	begin(number);
}

void socket_hold(uint32_t holder, int fd, const struct hc_drain_message *message, const char *path)
{
	uint32_t number = fill(fd, now() + HOLD, message, path);
	slot_of(number)->holder = holder;
	if (!slot_of(holder)->is_connection)
		socket_end(number, HC_RESULT_error); /* it was the oldest itself, and had to go */
	else
		slot_set_deadline(holder, now() + HOLD);
}

/* The program's own descriptor has ended by now, and with it whatever it did not
 * ask for itself: our FIN is still to be sent. */
static void take_over(uint32_t number)
{
	static const struct linger off;
	struct slot *slot = slot_of(number);
	uint64_t time = slot->end > slot->since ? slot->end - slot->since : 0;
	slot->holder = NO_SLOT;
	slot->since = now();
	slot->end = least(slot->since + time, latest);
	shutdown(slot->fd, SHUT_WR);
	setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
	begin(number);
}

void sockets_release(uint32_t holder, bool cancelled)
{
	for (uint32_t number = slot_newer(holder), next; number; number = next) {
		next = slot_newer(number);
		if (slot_of(number)->holder != holder)
			continue;
		if (cancelled)
			socket_end(number, HC_RESULT_error);
		else
			take_over(number);
	}
}

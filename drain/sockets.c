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

/* Reads without a turn of the loop: nobody who floods us starves the others. */
enum { AT_ONCE = 16 };

struct counts {
	uint64_t acked, unacked; /* ~0: not known */
};

static struct counts count(int fd)
{
	struct tcp_info info;
	struct hc_facts facts = { 0 };
	socklen_t size = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return (struct counts){ 0, UINT64_MAX };
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
	return (struct counts){ info.tcpi_bytes_acked, facts.unacked };
}

void socket_end(uint32_t number, enum hc_result result)
{
	struct slot *slot = slot_of(number);
	if (!slot->is_connection) {
		log_drain(slot, result, count(slot->fd).unacked);
		log_close(slot->path);
	}
	close(slot->fd); /* and out of the epoll set */
	slot_give(number);
}

static void put_off(uint32_t number, uint64_t from)
{
	const struct slot *slot = slot_of(number);
	slot_set_deadline(number, least(from + slot->quiet, slot->end));
}

void socket_readable(uint32_t number)
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

/* Nothing came for a while. Whoever still takes our answer is not quiet. */
void socket_due(uint32_t number, uint64_t at)
{
	struct slot *slot = slot_of(number);
	if (slot->is_connection) {
		socket_end(number, HC_RESULT_error);
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

void socket_begin(int epoll, int fd, const struct hc_drain_message *message, const char *path)
{
	uint64_t at = now();
	uint32_t number = slot_take(fd, at);
	if (!number) {
		socket_end(slot_oldest(), HC_RESULT_limit);
		number = slot_take(fd, at);
	}
	struct slot *slot = slot_of(number);
	slot->since = message->since;
	slot->end = message->since + message->time;
	slot->quiet = message->quiet;
	slot->bytes = message->bytes;
	slot->drained = message->drained;
	slot->unacked = message->unacked;
	slot->socket = message->socket;
	slot->pid = message->pid;
	slot->tid = message->tid;
	slot->path = log_open(path);
	slot->acked = count(fd).acked;
	put_off(number, at);
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.u32 = number };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		socket_end(number, HC_RESULT_error);
}

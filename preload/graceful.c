#include "graceful.h"
#include "handover.h"
#include "options.h"
#include "polls.h"
#include "recorder.h"
#include "waiting.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/single_threaded.h>

/* How much is read without waiting, so that a peer that never stops sending
 * holds up nobody. */
enum { AT_ONCE = 64 };

static bool peer_may_send(enum hc_state state)
{
	return state == HC_STATE_established || state == HC_STATE_fin_wait_1 || state == HC_STATE_fin_wait_2;
}

static bool is_alive(enum hc_state state)
{
	return peer_may_send(state) || state == HC_STATE_close_wait || state == HC_STATE_closing ||
	       state == HC_STATE_last_ack;
}

bool hc_graceful_wants(uint32_t word, const struct hc_facts *facts, enum hc_outcome outcome)
{
	unsigned what = hc_options.GRACEFUL;
	if (!(word & HC_FD_TCP) || !is_alive(facts->state))
		return false;
	/* who asked for an abort gets it, unless we are asked otherwise */
	if (facts->linger0 && !(what & HC_GRACEFUL_LINGER0))
		return false;
	bool put_off = word & HC_FD_SHUT_LATER;
	switch (outcome) {
	case HC_OUTCOME_reset_unread:
		return put_off || what & HC_GRACEFUL_UNREAD;
	case HC_OUTCOME_reset_linger:
		return true;
	case HC_OUTCOME_fin:
		return (put_off || what & HC_GRACEFUL_LATE) && peer_may_send(facts->state);
	default:
		return false;
	}
}

/* Reads and discards what is there. true: the drain is over. */
static bool discard(int fd, struct hc_drained *drained)
{
	for (int i = 0; i < AT_ONCE; i++) {
		long n = hc_sys6(SYS_recvfrom, fd, 0, INT_MAX, MSG_TRUNC | MSG_DONTWAIT, 0, 0);
		if (n > 0) {
			drained->bytes += (uint64_t)n;
			if (drained->bytes < hc_options.DRAIN_BYTES)
				continue;
			drained->result = HC_RESULT_limit;
			return true;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		drained->result = !n ? HC_RESULT_eof : errno == ECONNRESET ? HC_RESULT_reset : HC_RESULT_error;
		return true;
	}
	drained->result = HC_RESULT_quiet;
	return false;
}

/* Gives whoever slept until now a moment to read what has come, and more of them
 * where it is awake and waits for a processor. false: it is left. */
static bool is_taken(int fd, uint32_t word)
{
	const struct timespec moment = { .tv_nsec = HC_DRAIN_YIELD_MS * 1000000 };
	struct hc_facts before, after;
	bool may_come = true;
	hc_probe_close(fd, word, true, &before);
	for (int i = 0; i < HC_DRAIN_YIELDS_MOST && may_come; i++) {
		hc_sys(SYS_nanosleep, (long)&moment, 0, 0, 0, 0);
		/* first: whoever is on its way now may have been there by the next question */
		may_come = hc_others_are_on_their_way();
		if (!hc_probe_close(fd, word, true, &after) || !after.unread_known)
			return false;
		if (!hc_drain_is_left(after.unread, before.received, after.received))
			return true;
	}
	return false;
}

/* yields: another thread may be asleep in a read on it. */
static void drain_here(int fd, uint32_t word, bool yields, struct hc_drained *drained)
{
	for (;;) {
		uint64_t spent = hc_now() - drained->since, left;
		if (spent >= hc_options.DRAIN_TIME) {
			drained->result = HC_RESULT_timeout;
			return;
		}
		left = hc_options.DRAIN_TIME - spent;
		if (left > hc_options.DRAIN_QUIET)
			left = hc_options.DRAIN_QUIET;
		struct pollfd more = { .fd = fd, .events = POLLIN | POLLRDHUP };
		struct timespec time = { .tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000) };
		long n = hc_sys(SYS_ppoll, (long)&more, 1, (long)&time, 0, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			drained->result = n < 0 ? HC_RESULT_error : HC_RESULT_quiet;
			return;
		}
		if (yields && !(more.revents & POLLERR)) {
			yields = is_taken(fd, word);
			if (yields && !(more.revents & (POLLRDHUP | POLLHUP)))
				continue;
		}
		if (discard(fd, drained))
			return;
	}
}

/* Is there anybody who gets signals about the socket, by O_ASYNC or by data out
 * of band? A process group's number is negative, and may look like an error. */
static bool has_owner(int fd)
{
	return hc_sys(SYS_fcntl, fd, F_GETOWN, 0, 0, 0);
}

/* Signals about a socket that it has no more would surprise the program. */
static void leave_signals(int fd)
{
	if (unlikely(has_owner(fd)))
		hc_sys(SYS_fcntl, fd, F_SETOWN, 0, 0, 0);
}

static struct hc_drain_message message_of(int fd, const struct hc_fd *entry, const struct hc_drained *drained)
{
	struct hc_drain_message message = {
		.quiet = hc_options.DRAIN_QUIET,
		.time = hc_options.DRAIN_TIME,
		.bytes = hc_options.DRAIN_BYTES - drained->bytes,
		.since = drained->since,
		.drained = drained->bytes,
		.unacked = drained->unacked_before,
		.pid = (uint32_t)hc_self.pid,
		.tid = hc_tid(),
	};
	hc_record_socket(&message.socket, fd, entry);
	return message;
}

static bool hand_over(int fd, const struct hc_fd *entry, bool yields, const struct hc_drained *drained)
{
	struct hc_drain_message message = message_of(fd, entry, drained);
	message.flags = yields ? HC_DRAIN_YIELDS : 0;
	return !hc_polls_is_stray(entry->sock) && hc_handover(fd, &message);
}

bool hc_graceful_at_exec(int fd, const struct hc_fd *entry, const struct hc_facts *facts)
{
	const struct hc_drained drained = {
		.since = hc_now(), .unacked_before = facts->counted ? facts->unacked : UINT64_MAX
	};
	int kept = errno;
	struct hc_drain_message message = message_of(fd, entry, &drained);
	bool done = hc_options.DRAIN == HC_DRAIN_HELPER && !has_owner(fd) &&
	            !hc_polls_is_stray(entry->sock) && !hc_polls_outlive_exec() && hc_handover_at_exec(fd, &message);
	errno = kept;
	return done;
}

/* Was the receiving side shut down by the program? Nothing can be drained there:
 * reading the queue empty would only turn the reset into a window that stays
 * closed, and a peer that waits for it. */
static bool is_deaf(int fd, uint32_t word, short now)
{
	return !(word & HC_FD_SHUT_LATER) && now & POLLRDHUP && peer_may_send(hc_probe_state(fd, word));
}

/* Is another thread asleep in a write, for want of room? Our FIN would cut it short. */
static bool is_written_to(int fd, short now)
{
	return !(now & POLLOUT) && !__libc_single_threaded && !(hc_sys(SYS_fcntl, fd, F_GETFL, 0, 0, 0) & O_NONBLOCK) &&
	       hc_waiting_for(fd, false);
}

static bool is_to_be_left_alone(int fd, uint32_t word, bool shuts)
{
	struct pollfd is = { .fd = fd, .events = POLLRDHUP | POLLOUT };
	const struct timespec no_time = { 0 };
	short now = hc_sys(SYS_ppoll, (long)&is, 1, (long)&no_time, 0, 0) == 1 ? is.revents : 0;
	return is_deaf(fd, word, now) || (shuts && is_written_to(fd, now));
}

/* Where input has come, nobody sleeps in a read. What comes from now on, as it may
 * in answer to our FIN, could be another thread's. */
static bool may_be_read(const struct hc_facts *facts)
{
	return !__libc_single_threaded && peer_may_send(facts->state) && !facts->unread && !facts->oob;
}

/* What comes before a drain. shuts: our FIN is sent at once. false: there is to be none. */
static bool prepare(int fd, uint32_t word, const struct hc_facts *facts, uint64_t since, bool shuts,
                    struct hc_drained *drained)
{
	memset(drained, 0, sizeof *drained);
	drained->since = since;
	drained->unacked_before = facts->counted ? facts->unacked : UINT64_MAX;
	drained->by = HC_BY_now;
	drained->ended = true;
	drained->result = HC_RESULT_quiet;
	if (unlikely(is_to_be_left_alone(fd, word, shuts)))
		return false;
	/* before anything happens that a thread which waits for events could see */
	hc_polls_leave(fd);
	leave_signals(fd);
	return true;
}

static void forget_linger(int fd, const struct hc_facts *facts)
{
	const struct linger off = { 0 };
	if (facts->linger0)
		hc_sys(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, (long)&off, sizeof off);
}

bool hc_graceful_close(int fd, const struct hc_fd *entry, const struct hc_facts *facts, uint64_t since,
                       struct hc_drained *drained)
{
	uint32_t word = atomic_load_explicit(&entry->word, memory_order_relaxed);
	int kept = errno;
	if (!prepare(fd, word, facts, since, true, drained) || hc_sys(SYS_shutdown, fd, SHUT_WR, 0, 0, 0)) {
		errno = kept;
		return false;
	}
	forget_linger(fd, facts);
	bool yields = may_be_read(facts);
	if (yields || !discard(fd, drained)) {
		/* a close that lingers by the program's own wish is its own to do */
		if (hc_options.DRAIN == HC_DRAIN_HELPER && !(word & HC_FD_LINGERS) &&
		    hand_over(fd, entry, yields, drained)) {
			drained->by = HC_BY_helper;
			drained->ended = false;
		} else if (hc_options.DRAIN == HC_DRAIN_WAIT) {
			drained->by = HC_BY_wait;
			drain_here(fd, word, yields, drained);
		}
	}
	if (drained->ended)
		drained->unacked = hc_probe_unacked(fd, word);
	errno = kept;
	return true;
}

bool hc_graceful_at_exit(int fd, const struct hc_fd *entry, const struct hc_facts *facts, uint64_t since,
                         struct hc_drained *drained)
{
	uint32_t word = atomic_load_explicit(&entry->word, memory_order_relaxed);
	int kept = errno;
	if (__libc_single_threaded)
		return hc_graceful_close(fd, entry, facts, since, drained);
	if (!prepare(fd, word, facts, since, false, drained)) {
		errno = kept;
		return false;
	}
	struct hc_drain_message message = message_of(fd, entry, drained);
	if (hc_options.DRAIN == HC_DRAIN_HELPER && !(word & HC_FD_LINGERS) && !hc_polls_is_stray(entry->sock) &&
	    hc_handover_at_exec(fd, &message)) {
		drained->by = HC_BY_helper;
		drained->ended = false;
	} else {
		forget_linger(fd, facts);
		discard(fd, drained);
		drained->unacked = hc_probe_unacked(fd, word);
	}
	errno = kept;
	return true;
}

bool hc_graceful_shutdown(int fd, struct hc_fd *entry, enum hc_state state)
{
	/* a read that follows has nothing to wait for; it would have got an end of
	 * file, and gets EAGAIN */
	static const struct timeval at_once = { .tv_usec = 1 };
	uint32_t word = atomic_load(&entry->word);
	int kept = errno;
	bool done = word & HC_FD_TCP && peer_may_send(state) && !(word & HC_FD_POLLED) && !hc_waiting_for(fd, false) &&
	            !hc_sys(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, (long)&at_once, sizeof at_once) &&
	            !hc_sys(SYS_shutdown, fd, SHUT_WR, 0, 0, 0);
	if (done)
		hc_fd_mark(fd, HC_FD_SHUT_LATER);
	errno = kept;
	return done;
}

void hc_graceful_give_up(int fd, uint32_t word)
{
	int kept = errno;
	if (unlikely(word & HC_FD_SHUT_LATER) && !atomic_load(&hc_self.sandboxed))
		hc_sys(SYS_shutdown, fd, SHUT_RD, 0, 0, 0);
	errno = kept;
}

static const char *const results[] = {
#define RESULT(name, text, meaning) text,
#include <halfclose/names.def>
};
static const char *const bys[] = {
#define BY(name, text, meaning) text,
#include <halfclose/names.def>
};

void hc_record_drained(int fd, const struct hc_fd *entry, const struct hc_drained *drained)
{
	const char *result = results[drained->result], *by = bys[drained->by];
	size_t used = 0;
	struct hc_drain *event =
	    drained->ended && hc_self.recording ? hc_record(HC_EVENT_drain, strlen(result) + strlen(by)) : NULL;
	if (!event)
		return;
	hc_record_socket(&event->socket, fd, entry);
	event->drained = drained->bytes;
	event->us = (event->record.t - drained->since) / 1000;
	event->result = hc_tail(event, &used, result, strlen(result));
	event->by = hc_tail(event, &used, by, strlen(by));
	event->unacked = drained->unacked;
	event->saved = drained->unacked == UINT64_MAX || drained->unacked_before == UINT64_MAX ? UINT64_MAX
	               : drained->unacked_before > drained->unacked ? drained->unacked_before - drained->unacked
	                                                            : 0;
	hc_commit(event);
}

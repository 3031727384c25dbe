/* Pure: a judged connection in, yes or no out. The order is that of the report, severities being equal. */
#include "rules.h"

static uint64_t unacked(const struct connection *connection)
{
	return known_or_zero(connection->close->close.unacked);
}

static bool is_unread_close(const struct connection *connection)
{
	return connection->close && connection->close->close.outcome == HC_OUTCOME_reset_unread;
}

static bool is_linger_close(const struct connection *connection)
{
	return connection->close && connection->close->close.outcome == HC_OUTCOME_reset_linger;
}

static bool is_backlog_close(const struct connection *connection)
{
	return connection->close && connection->close->close.outcome == HC_OUTCOME_backlog;
}

/* Only where the other end was recorded as well is it known that it lost something. */
static bool is_late_data(const struct connection *connection)
{
	if (connection->teardown != TEARDOWN_active && connection->teardown != TEARDOWN_half_close_cut)
		return false;
	return connection_is_one(connection) && connection->other &&
	       connection->other->teardown == TEARDOWN_reset_by_peer;
}

static uint64_t never_taken(const struct connection *connection)
{
	const struct event *other = connection->other ? connection->other->close : NULL;
	uint64_t sent, received = connection->close->close.received;

	if (!other || !known64(other->close.sent) || !known64(received))
		return 0;
	sent = other->close.sent;
	return sent > received ? sent - received : 0;
}

static bool is_half_close_cut(const struct connection *connection)
{
	return connection_is_one(connection) && connection->teardown == TEARDOWN_half_close_cut &&
	       !connection->shut_both && !is_late_data(connection);
}

static bool is_rdwr_close(const struct connection *connection)
{
	return connection_is_one(connection) && connection->close && connection->shut_both_early &&
	       !is_late_data(connection);
}

static bool is_left_to_exit(const struct connection *connection)
{
	if (!connection_is_one(connection) || !connection->close || connection->teardown != TEARDOWN_active)
		return false;
	switch (connection->close->close.how) {
	case HC_HOW_exit:
	case HC_HOW__exit:
	case HC_HOW__Exit:
	case HC_HOW_quick_exit:
	case HC_HOW_return:
		return !is_late_data(connection);
	default:
		return false;
	}
}

const struct rule rules[] = {
	{
	    "unread-close",
	    SEVERITY_error,
	    is_unread_close,
	    unacked,
	    "written and not acknowledged by the peer",
	    "closed with input unread: the kernel sent a reset",
	    "The program closed the connection while bytes that had arrived were unread. The kernel then sends no "
	    "FIN but a reset (RST), and throws away what was written and not yet acknowledged.",
	    "ECONNRESET instead of the end of the answer. The part of the answer that it had received and not yet "
	    "read can be lost to it as well.",
	    "When the answer is written: shutdown(fd, SHUT_WR), read and discard to the end of file (with a limit of "
	    "time and bytes), then close(fd).",
	},
	{
	    "linger-close",
	    SEVERITY_warning,
	    is_linger_close,
	    unacked,
	    "written and not acknowledged by the peer",
	    "closed with SO_LINGER 0: the connection was thrown away",
	    "SO_LINGER with time 0 turns close into a reset: what was written and not yet acknowledged is thrown away, "
	    "and no TIME-WAIT protects the port.",
	    "ECONNRESET, even where all was in order.",
	    "Leave SO_LINGER alone. If TIME-WAIT is what is to be avoided, let the peer close first, or set "
	    "SO_REUSEADDR before bind.",
	},
	{
	    "backlog-close",
	    SEVERITY_warning,
	    is_backlog_close,
	    NULL,
	    NULL,
	    "closed a listener while connections waited in its queue",
	    "The kernel had completed these connections, but the program had not accepted them: closing the listener "
	    "resets each of them.",
	    "A connection that was established, and then ECONNRESET.",
	    "Before close(listener), make it non-blocking and accept until EAGAIN; serve or end each of them in an "
	    "orderly way.",
	},
	{
	    "late-data",
	    SEVERITY_warning,
	    is_late_data,
	    never_taken,
	    "that the peer sent and nobody took",
	    "closed first while the peer was still sending",
	    "The close itself was orderly (FIN), but what the peer sent after it met a closed socket, which the kernel "
	    "answers by a reset. The other end was recorded, and saw it.",
	    "ECONNRESET or EPIPE while it was sending.",
	    "shutdown(fd, SHUT_WR) says that no more will be sent; then read to the end of file, and only then "
	    "close(fd).",
	},
	{
	    "rdwr-close",
	    SEVERITY_note,
	    is_rdwr_close,
	    NULL,
	    NULL,
	    "shut down both directions while the peer could still send",
	    "After SHUT_RDWR the kernel answers any further input by a reset, just as after close.",
	    "An end of file; ECONNRESET if it goes on sending.",
	    "shutdown(fd, SHUT_WR) instead of SHUT_RDWR; then read to the end of file, then close(fd).",
	},
	{
	    "half-close-cut",
	    SEVERITY_note,
	    is_half_close_cut,
	    NULL,
	    NULL,
	    "half-closed well, but closed before the peer had ended",
	    "The program ended its sending by shutdown, then closed without waiting for the peer's end of file. "
	    "Anything the peer sends from then on is answered by a reset.",
	    "An end of file; ECONNRESET if it goes on sending.",
	    "After shutdown(fd, SHUT_WR) read until read() returns 0 (with a limit of time), then close(fd).",
	},
	{
	    "left-to-exit",
	    SEVERITY_note,
	    is_left_to_exit,
	    NULL,
	    NULL,
	    "a live connection was ended only by the end of the process",
	    "The program ended with the connection open; the kernel closed it.",
	    "An end of file at a moment that nobody chose.",
	    "End each connection on purpose: shutdown(fd, SHUT_WR), read to the end of file, close(fd).",
	},
	{ 0 },
};

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "error", "warning", "note" };

	return names[severity];
}

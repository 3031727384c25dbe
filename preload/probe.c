#include "probe.h"
#include "fdtab.h"

#include <linux/mptcp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

/* A kernel that refuses a question (a container's filter, an emulation) is not
 * asked it again. */
static _Atomic bool no_meminfo;

static bool may_ask(void)
{
	return !atomic_load_explicit(&hc_self.sandboxed, memory_order_relaxed);
}

static bool get_int(int fd, int level, int name, int *value)
{
	socklen_t size = sizeof *value;
	return !hc_getsockopt(fd, level, name, value, &size);
}

/* What an error of a question means: the table was out of date, and the number
 * is none of such a socket. Any other is a refusal: it is not known. */
static bool is_no_such_socket(int error)
{
	return error == EBADF || error == ENOTSOCK || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

/* Where TCP_INFO is refused: a connection that has a peer sends something when it
 * is closed; one without (reset before, never made) does not. */
static bool has_peer(int fd)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	return !hc_sys(SYS_getpeername, fd, (long)&name, (long)&size, 0, 0);
}

static bool tcp_info(int fd, struct tcp_info *info)
{
	socklen_t size = sizeof *info;
	return !hc_getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) &&
	       size >= offsetof(struct tcp_info, tcpi_delivery_rate);
}

/* Is nothing at all in the receive queue? One question without the socket's
 * lock, that sees also what FIONREAD hides: an out-of-band byte. */
static bool queue_is_empty(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS];
	socklen_t size = sizeof memory;
	if (atomic_load_explicit(&no_meminfo, memory_order_relaxed))
		return false;
	if (hc_getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size)) {
		if (errno != EBADF && errno != ENOTSOCK)
			atomic_store(&no_meminfo, true);
		return false;
	}
	return !memory[SK_MEMINFO_RMEM_ALLOC];
}

/* What a listener of MPTCP accepts may be plain TCP. What fell back later, or
 * whose other end speaks TCP, no longer answers as MPTCP.
 * others: the TCP connections that it has beside its first. */
static bool is_mptcp(int fd, bool *fell_back, unsigned *others)
{
	struct mptcp_info info = { 0 };
	socklen_t size = sizeof info;
	int protocol;
	if (!get_int(fd, SOL_SOCKET, SO_PROTOCOL, &protocol) || protocol != IPPROTO_MPTCP)
		return false;
	*fell_back = hc_getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &size)
	                 ? errno == EOPNOTSUPP
	                 : info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK;
	*others = info.mptcpi_subflows;
	return true;
}

/* false: fd is no socket. */
static bool probe_unread(int fd, struct hc_facts *facts)
{
	int bytes = 0, at_mark = 0;
	if (hc_sys(SYS_ioctl, fd, SIOCINQ, (long)&bytes, 0, 0))
		return errno != EBADF && errno != ENOTTY && errno != ENOTSOCK;
	facts->unread_known = true;
	facts->unread = bytes > 0 ? (uint64_t)bytes : 0;
	/* SIOCINQ counts up to the out-of-band byte: it is the next byte where
	 * the count is 0, and unread input to tcp_close() even after MSG_OOB
	 * took it */
	if (facts->unread || facts->unix_socket)
		return true;
	if (hc_sys(SYS_ioctl, fd, SIOCATMARK, (long)&at_mark, 0, 0)) {
		facts->unread_known = errno == ENOTTY || errno == EOPNOTSUPP;
	} else if (at_mark) {
		facts->oob = true;
		facts->unread = 1;
	}
	return true;
}

bool hc_probe_linger0(int fd)
{
	int kept = errno;
	struct linger linger = { 0 };
	socklen_t size = sizeof linger;
	bool on = may_ask() && !hc_getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) && linger.l_onoff &&
	          !linger.l_linger;
	errno = kept;
	return on;
}

/* In state CLOSED: had the peer's FIN come before? TCP_ZEROCOPY_RECEIVE with
 * nothing to receive says EIO exactly where SOCK_DONE is set (tcp_fin()), and
 * touches neither the queue nor the socket's pending error at this size. */
static bool probe_peer_fin(int fd)
{
	struct {
		uint64_t address;
		uint32_t length, recv_skip_hint;
	} nothing = { 0 };
	socklen_t size = sizeof nothing;
	return hc_getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &nothing, &size) && errno == EIO;
}

static void take_info(int fd, uint32_t word, const struct tcp_info *info, struct hc_facts *facts)
{
	struct hc_tcp_counts counts = {
		.bytes_sent = info->tcpi_bytes_sent,
		.bytes_retrans = info->tcpi_bytes_retrans,
		.bytes_acked = info->tcpi_bytes_acked,
		.bytes_received = info->tcpi_bytes_received,
		.notsent = info->tcpi_notsent_bytes,
	};
	facts->state = info->tcpi_state < HC_STATES ? (enum hc_state)info->tcpi_state : HC_STATE_unknown;
	if (facts->state == HC_STATE_listening) {
		facts->waiting = info->tcpi_unacked;
		return;
	}
	if (facts->state == HC_STATE_closed && (counts.bytes_acked || counts.bytes_received))
		facts->peer_fin = probe_peer_fin(fd);
	hc_count(facts, &counts, word & HC_FD_CONNECTED);
}

/*
 * What TCP_INFO and SIOCINQ say of MPTCP, put right.
 *
 * SIOCINQ counts the end of the peer's data, too, as a byte; and says 1 for an
 * empty queue once that direction is shut.
 *
 * TCP_INFO tells of the first of its TCP connections. That one sends its FIN when
 * MPTCP has ended both directions (mptcp_shutdown_subflows()): whatever it waits
 * for then, nothing is left to reset. It may also end alone, and MPTCP goes on
 * over the others.
 */
static void put_right(int fd, unsigned others, struct hc_facts *facts)
{
	struct pollfd ended = { .fd = fd, .events = POLLRDHUP };
	struct timespec no_time = { 0 };
	if (hc_sys(SYS_ppoll, (long)&ended, 1, (long)&no_time, 0, 0) < 0)
		return;
	bool peer_ended = ended.revents & POLLRDHUP;
	if (facts->unread && peer_ended)
		facts->unread = facts->unread > 1 ? facts->unread - 1 : !queue_is_empty(fd);
	if (facts->fell_back || !hc_is_ending(facts->state))
		return;
	if (ended.revents & POLLHUP || !others)
		facts->state = HC_STATE_closed;
	else
		facts->state = peer_ended ? HC_STATE_close_wait : HC_STATE_established;
}

/* false: fd is no socket. */
static bool probe_mptcp(int fd, uint32_t word, bool full, unsigned others, struct hc_facts *facts)
{
	struct tcp_info info;
	if (!probe_unread(fd, facts))
		return false;
	/* last: the kernel's worker ends it at a time of its own */
	if ((full || facts->unread) && tcp_info(fd, &info))
		take_info(fd, word, &info, facts);
	if (facts->state != HC_STATE_listening)
		put_right(fd, others, facts);
	return true;
}

static bool probe_tcp(int fd, uint32_t word, bool full, struct hc_facts *facts)
{
	struct tcp_info info;
	unsigned others = 0;
	bool shared_ever = word & (HC_FD_COPIED | HC_FD_OUTSIDE);

	facts->linger0 = shared_ever ? hc_probe_linger0(fd) : word & HC_FD_LINGER0;
	full = full || facts->linger0 || word & HC_FD_LISTENER;
	if (word & HC_FD_MPTCP && is_mptcp(fd, &facts->fell_back, &others))
		return probe_mptcp(fd, word, full, others, facts);
	if (full) {
		if (tcp_info(fd, &info))
			take_info(fd, word, &info, facts);
		else if (is_no_such_socket(errno))
			return false;
		else if (!has_peer(fd))
			return true;
		if (facts->state == HC_STATE_listening || facts->state == HC_STATE_closed)
			return true;
	}
	/* last, so that as little as can be arrives between this and the close */
	if (queue_is_empty(fd))
		facts->unread_known = true;
	else if (!probe_unread(fd, facts))
		return false;
	if (full || !facts->unread)
		return true;
	if (tcp_info(fd, &info))
		take_info(fd, word, &info, facts);
	else if (!has_peer(fd))
		facts->unread_known = false;
	return true;
}

static bool probe_unix(int fd, uint32_t word, struct hc_facts *facts)
{
	struct sockaddr_un peer;
	socklen_t size = sizeof peer;
	facts->unix_socket = true;
	if (word & HC_FD_LISTENER) {
		/* how many wait is not to be had; whether one does, is */
		struct pollfd waits = { .fd = fd, .events = POLLIN };
		struct timespec no_time = { 0 };
		long waiting = hc_sys(SYS_ppoll, (long)&waits, 1, (long)&no_time, 0, 0);
		if (waiting < 0)
			return true;
		facts->state = HC_STATE_listening;
		facts->waiting = waiting == 1 && waits.revents & POLLIN;
		return true;
	}
	bool connected = !hc_sys(SYS_getpeername, fd, (long)&peer, (long)&size, 0, 0);
	if (!connected && errno != ENOTCONN)
		return !is_no_such_socket(errno);
	facts->state = connected ? HC_STATE_established : HC_STATE_closed;
	return probe_unread(fd, facts);
}

bool hc_probe_close(int fd, uint32_t word, bool full, struct hc_facts *facts)
{
	int kept = errno;
	memset(facts, 0, sizeof *facts);
	bool known = true;
	if (may_ask())
		known = word & HC_FD_UNIX ? probe_unix(fd, word, facts) : probe_tcp(fd, word, full, facts);
	errno = kept;
	return known;
}

enum hc_state hc_probe_state(int fd, uint32_t word)
{
	int kept = errno;
	struct tcp_info info;
	enum hc_state state = HC_STATE_unknown;
	if (may_ask() && !(word & HC_FD_UNIX) && tcp_info(fd, &info) && info.tcpi_state < HC_STATES)
		state = (enum hc_state)info.tcpi_state;
	errno = kept;
	return state;
}

uint64_t hc_probe_unacked(int fd, uint32_t word)
{
	int kept = errno;
	struct tcp_info info;
	struct hc_facts facts = { 0 };
	if (may_ask() && word & HC_FD_TCP && tcp_info(fd, &info))
		take_info(fd, word, &info, &facts);
	errno = kept;
	return facts.counted ? facts.unacked : UINT64_MAX;
}

uint64_t hc_probe_cookie(int fd)
{
	int kept = errno;
	uint64_t cookie = UINT64_MAX;
	socklen_t size = sizeof cookie;
	if (!may_ask() || hc_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		cookie = UINT64_MAX;
	errno = kept;
	return cookie;
}

uint32_t hc_probe_kind(int fd, bool want_unix)
{
	int kept = errno, domain, type, protocol, listens = 0;
	uint32_t word = 0;
	if (may_ask() && get_int(fd, SOL_SOCKET, SO_TYPE, &type) && get_int(fd, SOL_SOCKET, SO_DOMAIN, &domain) &&
	    get_int(fd, SOL_SOCKET, SO_PROTOCOL, &protocol)) {
		word = hc_kind(domain, type, protocol, want_unix);
		if (word && get_int(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens) && listens)
			word |= HC_FD_LISTENER;
	}
	errno = kept;
	return word;
}

bool hc_probe_close_on_exec(int fd)
{
	int kept = errno;
	long flags = may_ask() ? hc_sys(SYS_fcntl, fd, 1 /* F_GETFD */, 0, 0, 0) : -1;
	errno = kept;
	return flags != -1 && flags & 1 /* FD_CLOEXEC */;
}

/* Another thread's closefrom() may have closed a number of ours, and it be
 * somebody else's by now. What can't be asked for is taken as ours, as ever; in
 * the program's own sandbox neither the question nor the close may be made. */
static bool is_still(int fd, uint64_t cookie)
{
	uint64_t is;
	socklen_t size = sizeof is;
	if (!may_ask())
		return false;
	if (cookie == UINT64_MAX)
		return true;
	if (hc_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &is, &size))
		return !is_no_such_socket(errno);
	return is == cookie;
}

void hc_probe_close_own(int fd, uint64_t cookie)
{
	int kept = errno;
	if (is_still(fd, cookie))
		hc_sys(SYS_close, fd, 0, 0, 0, 0);
	errno = kept;
}

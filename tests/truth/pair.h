/*
 * One connection: `mine` is the end under test, made and ended by libc's
 * functions; `peer` is the other, which only raw system calls touch.
 */
#ifndef PAIR_H
#define PAIR_H

#include "raw.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* TO_TCP, FROM_TCP: mine speaks MPTCP, the other end does not. */
enum kind { V4, V6, MAPPED, UNIX, SEQPACKET, MPTCP, TO_TCP, FROM_TCP };

struct pair {
	int mine, peer;
};

/* Where the two meet: an address of the loopback, its port chosen by the kernel. */
struct meeting {
	struct sockaddr_storage address;
	socklen_t size;
	int domain, type;
	int mine, peer; /* the protocols of the two ends */
};

static inline void check(long result, const char *what)
{
	if (result < 0)
		err(2, "%s", what);
}

static inline struct meeting meeting(enum kind kind)
{
	struct meeting at = { .type = SOCK_STREAM };
	struct sockaddr_in *v4 = (void *)&at.address;
	struct sockaddr_in6 *v6 = (void *)&at.address;

	if (kind == UNIX || kind == SEQPACKET) {
		at.domain = at.address.ss_family = AF_UNIX; /* no path: the kernel makes one up */
		at.size = sizeof(sa_family_t);
		at.type = kind == UNIX ? SOCK_STREAM : SOCK_SEQPACKET;
	} else if (kind == V4 || kind >= MPTCP) {
		at.mine = kind >= MPTCP ? IPPROTO_MPTCP : 0;
		at.peer = kind == MPTCP ? IPPROTO_MPTCP : 0;
		at.domain = v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		at.size = sizeof *v4;
	} else {
		at.domain = v6->sin6_family = AF_INET6;
		v6->sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
		if (kind == MAPPED) {
			memset(&v6->sin6_addr, 0, 16);
			memcpy((char *)&v6->sin6_addr + 10, "\377\377\177\0\0\1", 6);
		}
		at.size = sizeof *v6;
	}
	return at;
}

/* The event under way has reached this end. poll() looks without the socket's lock,
 * as the library does: what brought the event may still be at work under it, and
 * has done when the lock was had once. */
static inline void await(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = (short)events };
	struct timespec limit = { .tv_sec = 30 };
	struct tcp_info info;
	socklen_t size = sizeof info;
	if (raw(SYS_ppoll, &p, 1, &limit, 0, 0) != 1)
		errx(2, "nothing came");
	raw(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &size);
}

static inline void peer_sends(const struct pair *pair, size_t bytes)
{
	static const char text[65536];
	check(raw(SYS_sendto, pair->peer, text, bytes, MSG_NOSIGNAL, 0, 0), "peer: send");
	await(pair->mine, POLLIN);
}

static inline void peer_sends_oob(const struct pair *pair)
{
	check(raw(SYS_sendto, pair->peer, "!", 1, MSG_OOB, 0, 0), "peer: send out of band");
	await(pair->mine, POLLPRI);
}

static inline void peer_ends(const struct pair *pair)
{
	check(raw(SYS_shutdown, pair->peer, SHUT_WR), "peer: shutdown");
	await(pair->mine, POLLRDHUP);
}

/* Is this end's TCP connection (of MPTCP: the first) in one of these states? */
static inline bool in_state(int fd, unsigned states)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	check(raw(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
	return states >> info.tcpi_state & 1;
}

/* What no event tells of: MPTCP's states are changed by a worker of the kernel,
 * some time after the segment that makes it do so. */
static inline void await_state(int fd, unsigned states)
{
	struct timespec pause = { .tv_nsec = 100000 };
	for (int tries = 0; !in_state(fd, states); tries++) {
		if (tries == 100000)
			errx(2, "the state never came");
		raw(SYS_nanosleep, &pause, NULL);
	}
}

/* Both directions have ended; MPTCP then sends the FIN of its TCP connection. */
static inline void await_over(const struct pair *pair)
{
	await_state(pair->mine, ~(1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT));
}

static inline void peer_closes(const struct pair *pair)
{
	check(raw(SYS_close, pair->peer), "peer: close");
}

static inline void peer_resets(const struct pair *pair)
{
	struct linger now = { 1, 0 };
	check(raw(SYS_setsockopt, pair->peer, SOL_SOCKET, SO_LINGER, &now, sizeof now), "peer: SO_LINGER");
	peer_closes(pair);
	await(pair->mine, POLLHUP);
}

static inline int listener(struct meeting *at, int backlog)
{
	int fd = socket(at->domain, at->type, at->mine);
	check(fd, "socket");
	check(bind(fd, (void *)&at->address, at->size), "bind");
	check(listen(fd, backlog), "listen");
	at->size = sizeof at->address;
	check(getsockname(fd, (void *)&at->address, &at->size), "getsockname");
	return fd;
}

static inline int raw_connect(const struct meeting *at, int flags)
{
	long fd = raw(SYS_socket, at->domain, at->type | flags, at->peer);
	check(fd, "peer: socket");
	if (raw(SYS_connect, fd, &at->address, at->size) && errno != EINPROGRESS)
		err(2, "peer: connect");
	return (int)fd;
}

static inline int raw_listener(struct meeting *at, int backlog)
{
	long from = raw(SYS_socket, at->domain, at->type | SOCK_CLOEXEC, at->peer);
	check(from, "peer: socket");
	check(raw(SYS_bind, from, &at->address, at->size), "peer: bind");
	check(raw(SYS_listen, from, backlog), "peer: listen");
	at->size = sizeof at->address;
	check(raw(SYS_getsockname, from, &at->address, &at->size), "peer: getsockname");
	return (int)from;
}

/* mine connects. */
static inline struct pair connected(enum kind kind)
{
	struct pair pair;
	struct meeting at = meeting(kind);
	int from = raw_listener(&at, 1);
	pair.mine = socket(at.domain, at.type, at.mine);
	check(pair.mine, "socket");
	check(connect(pair.mine, (void *)&at.address, at.size), "connect");
	pair.peer = (int)raw(SYS_accept4, from, 0, 0, SOCK_CLOEXEC);
	check(pair.peer, "peer: accept");
	raw(SYS_close, from);
	return pair;
}

/* mine accepts, but where it alone speaks MPTCP. The peer's number is the lower one. */
static inline struct pair accepted(enum kind kind)
{
	struct pair pair;
	struct meeting at = meeting(kind);
	if (kind == TO_TCP)
		return connected(kind);
	int from = listener(&at, 1);
	pair.peer = raw_connect(&at, SOCK_CLOEXEC);
	pair.mine = accept(from, NULL, NULL);
	check(pair.mine, "accept");
	close(from);
	return pair;
}

/* The end under test with ten bytes unread: what a close of the last descriptor
 * turns into a reset. */
static inline struct pair unread(enum kind kind)
{
	struct pair pair = accepted(kind);
	peer_sends(&pair, 10);
	return pair;
}

static inline void take(int fd, size_t bytes)
{
	char space[65536];
	for (ssize_t n; bytes; bytes -= (size_t)n)
		if ((n = read(fd, space, bytes)) <= 0)
			err(2, "read");
}

#endif

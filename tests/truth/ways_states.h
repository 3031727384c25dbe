/*
 * What TCP's states, libc's other ways in, and listeners make possible.
 */
#ifndef WAYS_STATES_H
#define WAYS_STATES_H

#include "settle.h"
#include "ways_shared.h"

/* Closed with nothing unread; what the peer sends then is answered by a reset
 * that the kernel counts as TCPAbortOnData, like a close with SO_LINGER 0. It counts
 * for a socket alone: of one that waits no longer than TIME-WAIT does, less is left
 * in FIN-WAIT-2, unless its FIN was acknowledged while close() ran. */
static void late_data(enum kind kind)
{
	struct pair p = accepted(kind);
	int long_enough = 90; /* seconds; TIME-WAIT has 60 */
	check(setsockopt(p.mine, IPPROTO_TCP, TCP_LINGER2, &long_enough, sizeof long_enough), "TCP_LINGER2");
	close(p.mine);
	check(raw(SYS_sendto, p.peer, "late", 4, MSG_NOSIGNAL, 0, 0), "peer: send");
	await(p.peer, POLLHUP);
	peer_closes(&p);
}

/* A connect to nowhere resets the connection; the close finds nothing. */
static void disconnected(enum kind kind)
{
	struct pair p = unread(kind);
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	check(connect(p.mine, &nowhere, sizeof nowhere), "connect to nowhere");
	close(p.mine);
	peer_closes(&p);
}

static struct pair begun(enum kind kind, bool fast)
{
	struct meeting at = meeting(kind);
	int from = raw_listener(&at, 1);
	struct pair p = { .mine = socket(at.domain, at.type | SOCK_NONBLOCK, 0) };
	check(p.mine, "socket");
	long result = fast ? sendto(p.mine, "hi", 2, MSG_FASTOPEN, (void *)&at.address, at.size)
			   : connect(p.mine, (void *)&at.address, at.size);
	if (result < 0 && errno != EINPROGRESS)
		err(2, "connect");
	await(p.mine, POLLOUT);
	check(p.peer = (int)raw(SYS_accept4, from, 0, 0, SOCK_CLOEXEC), "peer: accept");
	raw(SYS_close, from);
	return p;
}

static void connect_completes(enum kind kind)
{
	struct pair p = begun(kind, false);
	peer_sends(&p, 10);
	close(p.mine);
	peer_closes(&p);
}

static void fast_open(enum kind kind)
{
	struct pair p = begun(kind, true);
	peer_sends(&p, 10);
	close(p.mine);
	/* a reset, or the FIN of a graceful end; then nothing that it has not read may be
	 * left to be reset by its own close */
	char said[2];
	await(p.peer, POLLRDHUP);
	raw(SYS_recvfrom, p.peer, said, sizeof said, MSG_DONTWAIT, NULL, NULL);
	peer_closes(&p);
}

static void linger0_syscall(enum kind kind)
{
	struct linger now = { 1, 0 };
	struct pair p = accepted(kind);
	check(syscall(SYS_setsockopt, p.mine, SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
	close(p.mine);
	peer_closes(&p);
}

static void linger0_by_child(enum kind kind)
{
	struct linger now = { 1, 0 };
	struct pair p = accepted(kind);
	pid_t child = forked(&p, NULL);
	if (!child) {
		check(setsockopt(p.mine, SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
		_exit(0);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

static void linger0_exits(enum kind kind)
{
	struct linger now = { 1, 0 };
	struct pair p = accepted(kind);
	check(setsockopt(p.mine, SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
	_exit(0);
}

/* the byte out of band, in line */

static struct pair inlined(enum kind kind, bool behind)
{
	int one = 1;
	struct pair p = accepted(kind);
	check(setsockopt(p.mine, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one), "SO_OOBINLINE");
	if (behind)
		peer_sends(&p, 10);
	peer_sends_oob(&p);
	return p;
}

static void oob_inline_behind(enum kind kind)
{
	struct pair p = inlined(kind, true);
	take(p.mine, 10);
	close(p.mine);
	peer_closes(&p);
}

static void oob_inline_read(enum kind kind)
{
	struct pair p = inlined(kind, true);
	take(p.mine, 11);
	close(p.mine);
	peer_closes(&p);
}

/* families of processes */

/* The parent ends before the child that closes. */
static void fork_parent_exits(enum kind kind)
{
	int gate[2];
	pid_t parent = fork();
	check(parent, "fork");
	if (!parent) {
		struct pair p = unread(kind);
		if (!forked(&p, gate)) {
			pass_gate(gate);
			close(p.mine);
		}
		_exit(0);
	}
	join(parent);
	raw(SYS_wait4, -1, 0, 0, 0);
}

static void daemon_closes(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = forked(&p, NULL);
	if (!child) {
		check(daemon(1, 1), "daemon");
		close(p.mine);
		_exit(0);
	}
	join(child);
	raw(SYS_wait4, -1, 0, 0, 0);
	close(p.mine);
	peer_closes(&p);
}

/* listeners: all that wait are reset */

/* One more than was asked for fits; the rest is not answered. They go before the
 * listener does: in a second they would ask again. */
static void backlog_full(enum kind kind)
{
	struct meeting at = meeting(kind);
	int client[2], from = waited_for_at(&at, 1, 2, client);
	for (int i = 0; i < 2; i++) {
		int fd = raw_connect(&at, SOCK_CLOEXEC | SOCK_NONBLOCK);
		settle();
		raw(SYS_close, fd);
	}
	close(from);
	clients_close(client, 2);
}

static void backlog_data(enum kind kind)
{
	int client[2], from = waited_for(kind, 2, client);
	check(raw(SYS_sendto, client[0], "hello", 5, MSG_NOSIGNAL, 0, 0), "peer: send");
	settle();
	close(from);
	clients_close(client, 2);
}

static void backlog_dup(enum kind kind)
{
	int client[2], from = waited_for(kind, 2, client), copy = dup(from);
	close(from);
	close(copy);
	clients_close(client, 2);
}

static void backlog_fork(enum kind kind)
{
	int client[2], from = waited_for(kind, 2, client);
	pid_t child = fork();
	if (!child) {
		close(from);
		_exit(0);
	}
	join(child);
	close(from);
	clients_close(client, 2);
}

static void backlog_one_taken(enum kind kind)
{
	int client[2], from = waited_for(kind, 2, client), taken = accept(from, NULL, NULL);
	check(taken, "accept");
	close(from);
	close(taken);
	clients_close(client, 2);
}

/* A listener's shutdown resets them. */
static void backlog_shutdown(enum kind kind)
{
	int client[2], from = waited_for(kind, 2, client);
	check(shutdown(from, SHUT_RD), "shutdown");
	close(from);
	clients_close(client, 2);
}

static void listen_syscall(enum kind kind)
{
	struct meeting at = meeting(kind);
	int from = socket(at.domain, at.type, 0);
	check(from, "socket");
	check(bind(from, (void *)&at.address, at.size), "bind");
	check(syscall(SYS_listen, from, 5), "listen");
	at.size = sizeof at.address;
	check(getsockname(from, (void *)&at.address, &at.size), "getsockname");
	int client = raw_connect(&at, SOCK_CLOEXEC);
	await_waiting(from, 1);
	close(from);
	clients_close(&client, 1);
}

#endif

/*
 * Ways to end a connection that one process alone holds.
 */
#ifndef WAYS_ALONE_H
#define WAYS_ALONE_H

#include "pair.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>

/* input, read or not */

static void nothing_came(enum kind kind)
{
	struct pair p = accepted(kind);
	close(p.mine);
	peer_closes(&p);
}

static void all_read(enum kind kind)
{
	struct pair p = unread(kind);
	take(p.mine, 10);
	close(p.mine);
	peer_closes(&p);
}

static void part_read(enum kind kind)
{
	struct pair p = unread(kind);
	take(p.mine, 9);
	close(p.mine);
	peer_closes(&p);
}

static void none_read(enum kind kind)
{
	struct pair p = unread(kind);
	close(p.mine);
	peer_closes(&p);
}

static void none_read_connected(enum kind kind)
{
	struct pair p = connected(kind);
	peer_sends(&p, 10);
	close(p.mine);
	peer_closes(&p);
}

static void all_read_connected(enum kind kind)
{
	struct pair p = connected(kind);
	peer_sends(&p, 10);
	take(p.mine, 10);
	close(p.mine);
	peer_closes(&p);
}

static void peeked(enum kind kind)
{
	char space[10];
	struct pair p = unread(kind);
	check(recv(p.mine, space, sizeof space, MSG_PEEK), "recv");
	close(p.mine);
	peer_closes(&p);
}

/* the other end first, half-closes */

static void peer_first(enum kind kind)
{
	struct pair p = accepted(kind);
	peer_ends(&p);
	close(p.mine);
	peer_closes(&p);
}

static void peer_first_unread(enum kind kind)
{
	struct pair p = unread(kind);
	peer_ends(&p);
	close(p.mine);
	peer_closes(&p);
}

static void half_close(enum kind kind)
{
	struct pair p = accepted(kind);
	check(shutdown(p.mine, SHUT_WR), "shutdown");
	await(p.peer, POLLRDHUP); /* or the two FINs could cross */
	peer_ends(&p);
	await_over(&p);
	close(p.mine);
	peer_closes(&p);
}

static void half_close_unread(enum kind kind)
{
	struct pair p = unread(kind);
	check(shutdown(p.mine, SHUT_WR), "shutdown");
	await(p.peer, POLLRDHUP);
	close(p.mine);
	peer_closes(&p);
}

/* The connection is over before the close: nothing is left to be reset. */
static void both_ended_unread(enum kind kind)
{
	struct pair p = unread(kind);
	check(shutdown(p.mine, SHUT_WR), "shutdown");
	await(p.peer, POLLRDHUP);
	peer_ends(&p);
	await_over(&p);
	close(p.mine);
	peer_closes(&p);
}

static void shut(enum kind kind, int side)
{
	struct pair p = unread(kind);
	check(shutdown(p.mine, side), "shutdown");
	close(p.mine);
	peer_closes(&p);
}
static void shut_rd_unread(enum kind kind) { shut(kind, SHUT_RD); }
static void shut_rdwr_unread(enum kind kind) { shut(kind, SHUT_RDWR); }

static void peer_reset(enum kind kind)
{
	struct pair p = accepted(kind);
	peer_resets(&p);
	close(p.mine);
}

static void peer_reset_unread(enum kind kind)
{
	struct pair p = unread(kind);
	peer_resets(&p);
	close(p.mine);
}

/* SO_LINGER */

static void linger(const struct pair *p, int on, int seconds)
{
	struct linger value = { on, seconds };
	check(setsockopt(p->mine, SOL_SOCKET, SO_LINGER, &value, sizeof value), "SO_LINGER");
}

static void linger0(enum kind kind)
{
	struct pair p = accepted(kind);
	linger(&p, 1, 0);
	close(p.mine);
	peer_closes(&p);
}

static void linger0_unread(enum kind kind)
{
	struct pair p = unread(kind);
	linger(&p, 1, 0);
	close(p.mine);
	peer_closes(&p);
}

static void linger0_half_closed(enum kind kind)
{
	struct pair p = accepted(kind);
	linger(&p, 1, 0);
	check(shutdown(p.mine, SHUT_WR), "shutdown");
	await(p.peer, POLLRDHUP);
	close(p.mine);
	peer_closes(&p);
}

static void linger0_dup(enum kind kind)
{
	struct pair p = accepted(kind);
	int copy = dup(p.mine);
	linger(&p, 1, 0);
	close(p.mine);
	close(copy);
	peer_closes(&p);
}

static void linger0_undone(enum kind kind)
{
	struct pair p = accepted(kind);
	linger(&p, 1, 0);
	linger(&p, 0, 0);
	close(p.mine);
	peer_closes(&p);
}

static void linger_positive(enum kind kind)
{
	struct pair p = accepted(kind);
	linger(&p, 1, 5);
	close(p.mine);
	peer_closes(&p);
}

static void linger0_inherited(enum kind kind)
{
	struct pair p;
	struct meeting at = meeting(kind);
	int from = listener(&at, 1);
	linger(&(struct pair){ .mine = from }, 1, 0);
	p.peer = raw_connect(&at, SOCK_CLOEXEC);
	check(p.mine = accept4(from, NULL, NULL, SOCK_CLOEXEC), "accept4");
	close(from);
	close(p.mine);
	peer_closes(&p);
}

/* out of band */

static void oob_alone(enum kind kind)
{
	struct pair p = accepted(kind);
	peer_sends_oob(&p);
	close(p.mine);
	peer_closes(&p);
}

static void oob_behind(enum kind kind)
{
	struct pair p = unread(kind);
	peer_sends_oob(&p);
	close(p.mine);
	peer_closes(&p);
}

static void oob_behind_read(enum kind kind)
{
	struct pair p = unread(kind);
	peer_sends_oob(&p);
	take(p.mine, 10);
	close(p.mine);
	peer_closes(&p);
}

static void oob_taken(enum kind kind)
{
	char byte;
	struct pair p = accepted(kind);
	peer_sends_oob(&p);
	check(recv(p.mine, &byte, 1, MSG_OOB), "recv out of band");
	close(p.mine);
	peer_closes(&p);
}

static void oob_inline(enum kind kind)
{
	int one = 1;
	struct pair p = accepted(kind);
	check(setsockopt(p.mine, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one), "SO_OOBINLINE");
	peer_sends_oob(&p);
	close(p.mine);
	peer_closes(&p);
}

/* not connected, listeners */

/* The other end is connected before the listener has heard of it. */
static void await_waiting(int listener, unsigned number)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	struct timespec pause = { .tv_nsec = 100000 };
	for (int tries = 0; tries < 100000; tries++) {
		check(raw(SYS_getsockopt, listener, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
		if (info.tcpi_unacked == number)
			return;
		raw(SYS_nanosleep, &pause, NULL);
	}
	errx(2, "%u wait for the listener, not %u", info.tcpi_unacked, number);
}

/* They hear of their end before they go: to what they send on a connection that is
 * no more, the kernel answers with a reset, which it counts like those that are to
 * be counted here. */
static void clients_close(const int *client, int clients)
{
	for (int i = 0; i < clients; i++) {
		await(client[i], POLLRDHUP);
		raw(SYS_close, client[i]);
	}
}

static int waited_for_at(struct meeting *at, int backlog, int clients, int *client)
{
	int from = listener(at, backlog);
	for (int i = 0; i < clients; i++) {
		client[i] = raw_connect(at, SOCK_CLOEXEC);
		await_waiting(from, (unsigned)i + 1);
	}
	return from;
}

static int waited_for(enum kind kind, int clients, int *client)
{
	struct meeting at = meeting(kind);
	return waited_for_at(&at, 5, clients, client);
}

/* A listener's queue is full: the answer to a SYN does not come. */
static void connecting_to(enum kind kind, bool with_linger)
{
	struct meeting at = meeting(kind);
	int from = raw_listener(&at, 0), first = raw_connect(&at, SOCK_CLOEXEC);
	await_waiting(from, 1);
	struct pair p = { .mine = socket(at.domain, at.type | SOCK_NONBLOCK, 0) };
	check(p.mine, "socket");
	if (with_linger)
		linger(&p, 1, 0);
	if (!connect(p.mine, (void *)&at.address, at.size) || errno != EINPROGRESS)
		errx(2, "connect: not in progress");
	close(p.mine);
	raw(SYS_close, from);
	raw(SYS_close, first);
}
static void connecting(enum kind kind) { connecting_to(kind, false); }
static void connecting_linger0(enum kind kind) { connecting_to(kind, true); }

static void never_connected(enum kind kind)
{
	struct meeting at = meeting(kind);
	close(socket(at.domain, at.type, 0));
}

static void refused(enum kind kind)
{
	struct meeting at = meeting(kind);
	close(listener(&at, 1));
	int fd = socket(at.domain, at.type, 0);
	if (!connect(fd, (void *)&at.address, at.size) || errno != ECONNREFUSED)
		errx(2, "connect: not refused");
	close(fd);
}

static void backlog(enum kind kind)
{
	int client[3], from = waited_for(kind, 3, client);
	close(from);
	clients_close(client, 3);
}

/* from elsewhere in the program */

static int handled;
static void close_handled(int number)
{
	(void)number;
	close(handled);
}

static void signal_handler(enum kind kind)
{
	struct pair p = unread(kind);
	handled = p.mine;
	signal(SIGUSR1, close_handled);
	raise(SIGUSR1);
	peer_closes(&p);
}

static void *close_it(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

static void other_thread(enum kind kind)
{
	pthread_t thread;
	struct pair p = unread(kind);
	pthread_create(&thread, NULL, close_it, &p.mine);
	pthread_join(thread, NULL);
	peer_closes(&p);
}

#endif

/*
 * Unix sockets: no counter, but what the other end gets is the truth.
 */
#ifndef WAYS_UNIX_H
#define WAYS_UNIX_H

#include "ways_shared.h"

static void other_end_gets(const struct pair *p, int error)
{
	char byte;
	long n = raw(SYS_recvfrom, p->peer, &byte, 1, 0, 0, 0);
	if (error ? n != -1 || errno != error : n)
		errx(1, "the other end got %ld, %s; not %s", n, strerror(errno), strerror(error));
	peer_closes(p);
}

static void unix_unread(enum kind kind)
{
	struct pair p = unread(kind);
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

static void unix_read(enum kind kind)
{
	struct pair p = unread(kind);
	take(p.mine, 10);
	close(p.mine);
	other_end_gets(&p, 0);
}

static void unix_connected(enum kind kind)
{
	struct pair p = connected(kind);
	peer_sends(&p, 10);
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

static void unix_dup(enum kind kind)
{
	struct pair p = unread(kind);
	int copy = dup(p.mine);
	close(p.mine);
	close(copy);
	other_end_gets(&p, ECONNRESET);
}

static void unix_fork(enum kind kind)
{
	struct pair p = unread(kind);
	fflush(NULL);
	pid_t child = fork();
	if (!child) {
		raw(SYS_close, p.peer);
		close(p.mine);
		_exit(0);
	}
	raw(SYS_wait4, child, 0, 0, 0);
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

static void unix_part_read(enum kind kind)
{
	struct pair p = unread(kind);
	take(p.mine, 9);
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

static void unix_peer_first(enum kind kind)
{
	struct pair p = accepted(kind);
	peer_ends(&p);
	close(p.mine);
	other_end_gets(&p, 0);
}

static void unix_peer_first_unread(enum kind kind)
{
	struct pair p = unread(kind);
	peer_ends(&p);
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

static void unix_shut(enum kind kind)
{
	struct pair p = unread(kind);
	check(shutdown(p.mine, SHUT_RDWR), "shutdown");
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

static void unix_oob(enum kind kind)
{
	struct pair p = accepted(kind);
	peer_sends_oob(&p);
	close(p.mine);
	other_end_gets(&p, ECONNRESET);
}

/* Both ends are followed; the one that is left has nothing unread. */
static void unix_pair(enum kind kind)
{
	int ends[2];
	check(socketpair(AF_UNIX, kind == UNIX ? SOCK_STREAM : SOCK_SEQPACKET, 0, ends), "socketpair");
	struct pair p = { .mine = ends[0], .peer = ends[1] };
	peer_sends(&p, 10);
	close(p.mine);
	char byte;
	if (raw(SYS_recvfrom, p.peer, &byte, 1, 0, 0, 0) != -1 || errno != ECONNRESET)
		errx(1, "the other end was not reset");
	close(p.peer);
}

static void unix_fork_reads(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = forked(&p, NULL);
	if (!child) {
		take(p.mine, 10);
		_exit(0);
	}
	join(child);
	close(p.mine);
	other_end_gets(&p, 0);
}

static void unix_backlog(enum kind kind)
{
	struct meeting at = meeting(kind);
	int from = listener(&at, 5);
	struct pair p = { .peer = raw_connect(&at, SOCK_CLOEXEC) };
	await(from, POLLIN);
	close(from);
	other_end_gets(&p, ECONNRESET);
}

#endif

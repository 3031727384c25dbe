/*
 * What the wire shows of an end, and what a peer makes of it that expects it
 * abrupt: it speaks on until that fails, or asks who is there.
 *
 *   host wire HOW      HOW the connection ends: late, unread, linger0; flood is
 *                      late, and the peer does not stop by itself
 */
#ifndef WIRE_H
#define WIRE_H

#include "../truth/raw.h"
#include "net.h"

#include <pthread.h>
#include <stdatomic.h>

static _Atomic int next_reset;

/* Past the library: of this end nothing is recorded. */
static void *resets(void *peers)
{
	static const struct linger now = { 1, 0 };
	for (int i = 0; ((int *)peers)[i] >= 0; i++) {
		while (atomic_load(&next_reset) < i)
			;
		raw(SYS_setsockopt, ((int *)peers)[i], SOL_SOCKET, SO_LINGER, &now, sizeof now, 0);
		raw(SYS_close, ((int *)peers)[i], 0, 0, 0, 0, 0);
	}
	return NULL;
}

/* The peer resets while we close. */
static void meanwhile(const char *argument)
{
	enum { MANY = 400 };
	static int mine[MANY], peers[MANY + 1];
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	pthread_t thread;
	(void)argument;
	for (int i = 0; i < MANY; i++) {
		struct pair p = unread(&at);
		mine[i] = p.mine;
		peers[i] = p.peer;
	}
	peers[MANY] = -1;
	atomic_store(&next_reset, -1);
	must(!pthread_create(&thread, NULL, resets, peers), "thread");
	for (int i = 0; i < MANY; i++) {
		atomic_store(&next_reset, i);
		for (volatile int j = 0; j < i * 20; j++)
			;
		close(mine[i]);
	}
	pthread_join(thread, NULL);
}

static void wire(const char *how)
{
	const struct linger none = { 1, 0 };
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = strcmp(how, "unread") ? meet(&at) : unread(&at);
	struct sockaddr_in name;
	socklen_t size = sizeof name;
	char space[16];
	int sent = 0, much = strcmp(how, "flood") ? 5000 : INT_MAX;
	if (!strcmp(how, "linger0"))
		must(!setsockopt(p.mine, SOL_SOCKET, SO_LINGER, &none, sizeof none) && send(p.mine, "bye", 3, 0) == 3,
		     "bye");
	close(p.mine);
	say("name: %s\n", getpeername(p.peer, (void *)&name, &size) ? strerrorname_np(errno) : "known");
	if (!strcmp(how, "linger0")) {
		for (ssize_t n = 1; n > 0;) {
			n = recv(p.peer, space, sizeof space, 0);
			say("received: %zd%s%s\n", n, n < 0 ? " " : "", n < 0 ? strerrorname_np(errno) : "");
		}
		return;
	}
	while (sent < much && send(p.peer, "more", 4, MSG_NOSIGNAL) == 4)
		sent++;
	say("sent: %s\n", sent == much ? "all" : strerrorname_np(errno));
	say("# so often: %d\n", sent);
	/* so that whoever reads on comes to an end of it */
	shutdown(p.peer, SHUT_WR);
}

#endif

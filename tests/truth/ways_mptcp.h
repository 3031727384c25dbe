/*
 * MPTCP over more than one TCP connection. The kernel is told which by `ip`, for
 * the whole namespace; so a way here undoes what it told.
 */
#ifndef WAYS_MPTCP_H
#define WAYS_MPTCP_H

#include "settle.h"

#include <linux/mptcp.h>
#include <sys/wait.h>

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

/* Not through libc: no call of the shell's is one of the tested process. */
static void tell_kernel(const char *command)
{
	char *arguments[] = { "sh", "-c", (char *)command, NULL },
	     *environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status = 0;
	long child = raw(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	check(child, "clone");
	if (child == 0) {
		raw(SYS_execve, "/bin/sh", arguments, environment);
		raw(SYS_exit_group, 127);
	}
	check(raw(SYS_wait4, child, &status, 0, 0), "wait4");
	if (status)
		errx(2, "%s: status %d", command, status);
}

static void await_two_paths(int fd)
{
	struct mptcp_info info = { 0 };
	socklen_t size = sizeof info;
	struct timespec pause = { .tv_nsec = 100000 };
	for (int tries = 0; tries < 100000 && !info.mptcpi_subflows; tries++) {
		raw(SYS_nanosleep, &pause, NULL);
		check(raw(SYS_getsockopt, fd, SOL_MPTCP, MPTCP_INFO, &info, &size), "MPTCP_INFO");
	}
	if (!info.mptcpi_subflows)
		errx(2, "no second path was made");
}

/* A telephone leaves the house: the path that the connection began with is taken
 * away, and it lives on over the other. The ends have addresses of their own, so
 * that the one's first can be named. */
static void first_path_gone(enum kind kind)
{
	struct meeting at = meeting(kind);
	struct pair p;
	((struct sockaddr_in *)&at.address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);
	tell_kernel(
	    "ip mptcp limits set subflows 2 add_addr_accepted 2 && ip mptcp endpoint add 127.0.0.2 dev lo subflow");
	int from = listener(&at, 1);
	p.peer = raw_connect(&at, SOCK_CLOEXEC);
	check(p.mine = accept4(from, NULL, NULL, SOCK_CLOEXEC), "accept");
	/* the second is made once both have heard of each other; the listener takes it */
	char byte = '!';
	peer_sends(&p, 1);
	take(p.mine, 1);
	check(write(p.mine, &byte, 1), "write");
	check(raw(SYS_recvfrom, p.peer, &byte, 1, MSG_WAITALL, 0, 0), "peer: recv");
	await_two_paths(p.mine);
	await_two_paths(p.peer);
	settle(); /* the kernel counts the second before its handshake is through */
	close(from);
	tell_kernel("ip mptcp endpoint delete id 0 127.0.0.1");
	await_state(p.mine, 1u << TCP_CLOSE);
	await_state(p.peer, 1u << TCP_CLOSE);
	peer_sends(&p, 10);
	close(p.mine);
	peer_closes(&p);
	tell_kernel("ip mptcp endpoint flush");
}

#endif

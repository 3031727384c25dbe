/*
 * Connections that end with their process or its program.
 */
#ifndef WAYS_PROCESS_H
#define WAYS_PROCESS_H

#include "ways_shared.h"

static void exits(enum kind kind) { unread(kind); exit(0); }
static void exits_read(enum kind kind) { take(unread(kind).mine, 10); exit(0); }
static void exits_at_once(enum kind kind) { unread(kind); _exit(0); }
static void exits_at_once_c(enum kind kind) { unread(kind); _Exit(0); }
static void exits_quickly(enum kind kind) { unread(kind); quick_exit(0); }
static void exits_syscall(enum kind kind) { unread(kind); syscall(SYS_exit_group, 0); }
static void returns(enum kind kind) { unread(kind); } /* which main does next */
static void exits_copied(enum kind kind) { check(dup(unread(kind).mine), "dup"); _exit(0); }

static void aborts(enum kind kind) { unread(kind); abort(); }
static void killed(enum kind kind) { unread(kind); raise(SIGKILL); }

static int registered;
static void close_registered(void)
{
	close(registered);
}
static void exits_closing(enum kind kind)
{
	registered = unread(kind).mine;
	atexit(close_registered);
	exit(0);
}

static void exits_backlog(enum kind kind)
{
	int client, one = 1;
	waited_for(kind, 1, &client);
	/* it ends with the process, too, but says nothing: its FIN could be on the way
	 * before the reset is, and be answered by another */
	check(raw(SYS_setsockopt, client, IPPROTO_TCP, TCP_REPAIR, &one, sizeof one), "TCP_REPAIR");
	_exit(0);
}

/* One that was killed, and for which its parent does not wait, holds nothing. */
static void exits_beside_zombie(enum kind kind)
{
	int gate[2], killed_it[2];
	char byte;
	struct pair p = unread(kind);
	check(pipe2(killed_it, O_CLOEXEC), "pipe");
	if (!forked(&p, gate)) {
		siginfo_t end;
		pid_t child = fork();
		if (!child)
			raise(SIGKILL);
		check(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), "waitid");
		close(p.mine);
		check(write(killed_it[1], "", 1), "write");
		pass_gate(gate); /* it stays until the other has ended */
		raw(SYS_exit_group, 0);
	}
	check(read(killed_it[0], &byte, 1), "read");
	_exit(0);
}

/* exec */

static struct pair marked(enum kind kind)
{
	struct pair p = unread(kind);
	check(fcntl(p.mine, F_SETFD, FD_CLOEXEC), "FD_CLOEXEC");
	return p;
}

static void exec_cloexec(enum kind kind)
{
	marked(kind);
	execl("/bin/true", "true", NULL);
}

static void exec_cloexec_copied(enum kind kind)
{
	struct pair p = marked(kind);
	check(fcntl(p.mine, F_DUPFD_CLOEXEC, 0), "F_DUPFD_CLOEXEC");
	execl("/bin/true", "true", NULL);
}

static void exec_failed(enum kind kind)
{
	struct pair p = marked(kind);
	execl("/nonexistent/program", "program", NULL);
	close(p.mine);
	peer_closes(&p);
}

static void exec_traced(enum kind kind)
{
	char number[12];
	snprintf(number, sizeof number, "%d", unread(kind).mine);
	execl("/proc/self/exe", "driver", "--close", number, NULL);
}

static void exec_traced_read(enum kind kind)
{
	char number[12];
	struct pair p = unread(kind);
	take(p.mine, 10);
	snprintf(number, sizeof number, "%d", p.mine);
	execl("/proc/self/exe", "driver", "--close", number, NULL);
}

static void exec_untraced(enum kind kind)
{
	unread(kind);
	execle("/bin/true", "true", NULL, (char *[]){ NULL });
}

#endif

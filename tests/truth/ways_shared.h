/*
 * One socket in several processes: only the last to let go ends it.
 */
#ifndef WAYS_SHARED_H
#define WAYS_SHARED_H

#include "rights.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static void join(pid_t child)
{
	int status;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
		errx(2, "a child: status %x", status);
}

/* In the child the peer's end is let go unseen; *wait is readable when its turn
 * has come. */
static pid_t forked(const struct pair *p, int gate[2])
{
	if (gate)
		check(pipe2(gate, O_CLOEXEC), "pipe");
	pid_t child = fork();
	check(child, "fork");
	if (!child)
		raw(SYS_close, p->peer);
	return child;
}

static void pass_gate(int gate[2])
{
	char byte;
	close(gate[1]);
	if (read(gate[0], &byte, 1))
		errx(2, "gate");
	close(gate[0]);
}

static void open_gate(int gate[2])
{
	close(gate[0]);
	close(gate[1]);
}

static void fork_child_first(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = forked(&p, NULL);
	if (!child) {
		close(p.mine);
		_exit(0);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

static void fork_child_exits(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = forked(&p, NULL);
	if (!child)
		_exit(0);
	join(child);
	close(p.mine);
	peer_closes(&p);
}

static void fork_child_killed(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = forked(&p, NULL);
	if (!child)
		raw(SYS_kill, raw(SYS_getpid, 0), 9);
	waitpid(child, NULL, 0);
	close(p.mine);
	peer_closes(&p);
}

static void parent_first(enum kind kind, void (*last)(int fd))
{
	int gate[2];
	struct pair p = unread(kind);
	pid_t child = forked(&p, gate);
	if (!child) {
		pass_gate(gate);
		last(p.mine);
		_exit(0);
	}
	close(p.mine);
	open_gate(gate);
	join(child);
	peer_closes(&p);
}
static void let_close(int fd) { close(fd); }
static void let_be(int fd) { (void)fd; }
static void let_read(int fd) { take(fd, 10), close(fd); }
static void fork_parent_first(enum kind kind) { parent_first(kind, let_close); }
static void fork_parent_first_exit(enum kind kind) { parent_first(kind, let_be); }
static void fork_parent_first_read(enum kind kind) { parent_first(kind, let_read); }

static void fork_child_reads(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = forked(&p, NULL);
	if (!child) {
		take(p.mine, 10);
		close(p.mine);
		_exit(0);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

/* The child's own _Fork: no handlers run. */
static void fork_raw(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = _Fork();
	if (!child) {
		raw(SYS_close, p.peer);
		close(p.mine);
		_exit(0);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

/* A fork behind libc's back, as sandboxes and container tools do it. */
static void fork_syscall(enum kind kind)
{
	struct pair p = unread(kind);
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	check(child, "clone");
	if (!child) {
		raw(SYS_close, p.peer);
		close(p.mine);
		_exit(0);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

/* Both sides of such a fork go on to make connections of their own. */
static void fork_syscall_births(enum kind kind)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	check(child, "clone");
	struct pair p = unread(kind);
	close(p.mine);
	peer_closes(&p);
	if (!child)
		_exit(0);
	join(child);
}

static void grandchild(enum kind kind, bool child_closes)
{
	int gate[2];
	struct pair p = unread(kind);
	pid_t child = forked(&p, gate);
	if (!child) {
		/* the grandchild is nobody's to wait for: it says by the
		 * connection's end that it is done */
		if (!fork()) {
			pass_gate(gate);
			close(p.mine);
			_exit(0);
		}
		if (child_closes)
			close(p.mine);
		_exit(0);
	}
	join(child);
	close(p.mine);
	open_gate(gate);
	await(p.peer, POLLRDHUP);
	peer_closes(&p);
	/* what it records comes after the end */
	raw(SYS_wait4, -1, 0, 0, 0);
}
static void fork_grandchild(enum kind kind) { grandchild(kind, true); }
static void fork_double(enum kind kind) { grandchild(kind, false); }

/* vfork and spawn */

static void vfork_child_closes(enum kind kind)
{
	static struct pair p; /* the child runs on this stack */
	p = unread(kind);
	pid_t child = vfork();
	if (!child) {
		close(p.mine);
		_exit(0);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

static void vfork_exec(enum kind kind)
{
	static struct pair p;
	p = unread(kind);
	pid_t child = vfork();
	if (!child) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	join(child);
	close(p.mine);
	peer_closes(&p);
}

#define HAS_PIDFD_SPAWN __GLIBC_PREREQ(2, 39)
#if HAS_PIDFD_SPAWN
#include <sys/pidfd.h>
#endif

/* What is spawned runs untraced until its standard input ends. */
enum spawned { INHERITS, CLOEXEC, ADDCLOSE, PIDFD, CLOEXEC_LATER, RANGE_LATER, DUP_LATER };
static void spawned(enum kind kind, enum spawned how)
{
	char *argv[] = { (char[]){ "cat" }, NULL }, *envp[] = { NULL };
	int gate[2], back[2];
	char byte;
	pid_t child;
	posix_spawn_file_actions_t actions;
	struct pair p = unread(kind);

	check(pipe2(gate, O_CLOEXEC) | pipe2(back, O_CLOEXEC), "pipe");
	if (how == CLOEXEC)
		check(fcntl(p.mine, F_SETFD, FD_CLOEXEC), "FD_CLOEXEC");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, gate[0], 0);
	posix_spawn_file_actions_adddup2(&actions, back[1], 1);
	if (how == ADDCLOSE)
		posix_spawn_file_actions_addclose(&actions, p.mine);
#if HAS_PIDFD_SPAWN
	int pidfd;
	if (how == PIDFD) {
		if (pidfd_spawn(&pidfd, "/bin/cat", &actions, NULL, argv, envp))
			errx(2, "pidfd_spawn");
		child = pidfd_getpid(pidfd);
		close(pidfd);
	} else
#endif
		if (posix_spawn(&child, "/bin/cat", &actions, NULL, argv, envp))
			errx(2, "posix_spawn");
	posix_spawn_file_actions_destroy(&actions);
	/* posix_spawn returns while the child still closes what has close-on-exec */
	if (write(gate[1], "x", 1) != 1 || read(back[0], &byte, 1) != 1)
		errx(2, "cat says nothing");
	open_gate(back);
	if (how == CLOEXEC_LATER)
		check(fcntl(p.mine, F_SETFD, FD_CLOEXEC), "FD_CLOEXEC");
	if (how == RANGE_LATER)
		check(close_range((unsigned)p.mine, (unsigned)p.mine, CLOSE_RANGE_CLOEXEC), "close_range");
	int copy = how == DUP_LATER ? fcntl(p.mine, F_DUPFD_CLOEXEC, 0) : -1;
	close(p.mine);
	if (copy >= 0)
		close(copy);
	open_gate(gate);
	join(child);
	peer_closes(&p);
}
static void spawn_inherits(enum kind kind) { spawned(kind, INHERITS); }
#if HAS_PIDFD_SPAWN
static void spawn_pidfd(enum kind kind) { spawned(kind, PIDFD); }
#endif
static void spawn_cloexec(enum kind kind) { spawned(kind, CLOEXEC); }
static void spawn_addclose(enum kind kind) { spawned(kind, ADDCLOSE); }
static void spawn_then_cloexec(enum kind kind) { spawned(kind, CLOEXEC_LATER); }
static void spawn_then_range(enum kind kind) { spawned(kind, RANGE_LATER); }
static void spawn_then_dup(enum kind kind) { spawned(kind, DUP_LATER); }

static void system_ran(enum kind kind)
{
	struct pair p = unread(kind);
	check(-!!system("exit 0"), "system");
	close(p.mine);
	peer_closes(&p);
}

/* SCM_RIGHTS */

enum order { SENDER_LAST, RECEIVER_LAST, IN_FLIGHT };

/* The receiver was there before the connection was. */
static void passed(enum kind kind, enum order order, bool read_there)
{
	int way[2], gate[2];
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way), "socketpair");
	check(pipe2(gate, O_CLOEXEC), "pipe");
	pid_t child = fork();
	if (!child) {
		if (order == IN_FLIGHT)
			pass_gate(gate);
		int fd = receive_right(way[1]);
		if (order == RECEIVER_LAST) {
			check(write(way[1], "", 1), "write");
			pass_gate(gate);
		}
		if (read_there)
			take(fd, 10);
		close(fd);
		_exit(0);
	}
	char byte;
	struct pair p = unread(kind);
	send_right(way[0], p.mine);
	if (order == RECEIVER_LAST)
		check(read(way[0], &byte, 1), "read");
	if (order != SENDER_LAST)
		close(p.mine);
	open_gate(gate);
	join(child);
	if (order == SENDER_LAST)
		close(p.mine);
	close(way[0]);
	close(way[1]);
	peer_closes(&p);
}
static void passed_read_there(enum kind kind) { passed(kind, SENDER_LAST, true); }
static void passed_unread_there(enum kind kind) { passed(kind, SENDER_LAST, false); }
static void passed_receiver_last(enum kind kind) { passed(kind, RECEIVER_LAST, false); }
static void passed_receiver_last_read(enum kind kind) { passed(kind, RECEIVER_LAST, true); }
static void passed_in_flight(enum kind kind) { passed(kind, IN_FLIGHT, false); }

#endif

/*
 * One socket, two holders: the first lets go while its peer still has much to say
 * to the other one, and the other one to its peer. All of it must arrive.
 *
 *   host survives HOW      HOW: who is left, and how it came to have the socket
 *   host talker            the other one, when it is another program: the socket,
 *                          or a socket by which it comes, is its standard input
 */
#ifndef SURVIVORS_H
#define SURVIVORS_H

#include "net.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { BEFORE = 10, AFTER = 100000, REPLY = 150000 };

static char words[REPLY];

static void tell_all(int fd, size_t n)
{
	while (n) {
		ssize_t some = send(fd, words, n < sizeof words ? n : sizeof words, MSG_NOSIGNAL);
		if (some <= 0)
			break;
		n -= (size_t)some;
	}
}

/* To the end; -1: there was an error. */
static long hear_all(int fd)
{
	char space[16384];
	long all = 0;
	ssize_t n;
	while ((n = read(fd, space, sizeof space)) > 0)
		all += n;
	return n < 0 ? -errno : all;
}

/* The one that is left. */
static bool converse(int fd)
{
	long heard = hear_all(fd);
	tell_all(fd, REPLY);
	return heard == BEFORE + AFTER;
}

static int gates[2];

static void open_gate(void)
{
	must(write(gates[1], "", 1) == 1, "gate");
}

/* The peer, a process of its own, which speaks on when the gate opens. */
static pid_t start_peer(const struct meeting *at)
{
	must(!pipe2(gates, O_CLOEXEC), "pipe");
	pid_t peer = fork();
	must(peer >= 0, "fork");
	if (peer)
		return peer;
	char byte;
	alarm(100);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(fd, (const void *)&at->address, sizeof at->address), "connect");
	tell_all(fd, BEFORE);
	must(read(gates[0], &byte, 1) == 1, "gate");
	tell_all(fd, AFTER);
	shutdown(fd, SHUT_WR);
	long heard = hear_all(fd);
	say("the peer heard %ld\n", heard);
	_exit(heard != REPLY);
}

static void pass_to(int to, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof fd)];
		struct cmsghdr part;
	} control = { .part = { CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec text = { (char[]){ "" }, 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	memcpy(CMSG_DATA(&control.part), &fd, sizeof fd);
	must(sendmsg(to, &message, 0) == 1, "sendmsg");
}

static void talker(const char *argument)
{
	int fd = 0;
	if (!strcmp(argument, "passed")) {
		union {
			char space[CMSG_SPACE(sizeof fd)];
			struct cmsghdr part;
		} control;
		struct iovec text = { (char[]){ "" }, 1 };
		struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
		must(recvmsg(0, &message, 0) == 1 && message.msg_controllen, "recvmsg");
		memcpy(&fd, CMSG_DATA(&control.part), sizeof fd);
		must(write(0, "", 1) >= 0 || errno == EPIPE, "write");
	}
	say("it heard all: %d\n", converse(fd));
	close(fd);
}

extern char **environ;
static char *const nothing[] = { NULL };

static void be_talker(int standard_input, char *const *with)
{
	char *const arguments[] = { (char[]){ "host" }, (char[]){ "talker" }, NULL };
	dup2(standard_input, 0);
	execve("/proc/self/exe", arguments, with);
	_exit(9);
}

static void by_spawn(int fd, bool closes)
{
	char *const arguments[] = { (char[]){ "host" }, (char[]){ "talker" }, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	if (closes)
		posix_spawn_file_actions_addclose(&actions, fd);
	must(!posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, nothing), "posix_spawn");
}

/* A process that was there before, to which the socket is sent. */
static int start_receiver(void)
{
	char *const arguments[] = { (char[]){ "host" }, (char[]){ "talker" }, (char[]){ "passed" }, NULL };
	int way[2];
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way), "socketpair");
	pid_t child = fork();
	if (!child) {
		dup2(way[1], 0);
		execve("/proc/self/exe", arguments, nothing);
		_exit(9);
	}
	close(way[1]);
	return way[0];
}

/* What happens with `fd`, which this process then has no more, or is the last to
 * have. */
static void share(const char *how, int fd, int receiver)
{
	char byte;
	pid_t child = -1;
	if (!strcmp(how, "child") || !strcmp(how, "raw-child")) {
		child = strcmp(how, "child") ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
		if (!child)
			_exit(!converse(fd));
	} else if (!strcmp(how, "parent") || !strcmp(how, "parent-exits")) {
		child = fork();
		if (!child && !strcmp(how, "parent"))
			close(fd);
		if (!child)
			_exit(0);
		must(!ended(child), "child");
		open_gate();
		say("it heard all: %d\n", converse(fd));
	} else if (!strcmp(how, "grandchild")) {
		child = fork();
		if (!child) {
			if (!fork())
				_exit(!converse(fd));
			close(fd);
			_exit(0);
		}
	} else if (!strcmp(how, "exec") || !strcmp(how, "exec-traced") || !strcmp(how, "exec-marked")) {
		if (!strcmp(how, "exec-marked"))
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		child = fork();
		if (!child)
			be_talker(fd, strcmp(how, "exec-traced") ? nothing : environ);
	} else if (!strcmp(how, "vfork")) {
		child = vfork();
		if (!child)
			be_talker(fd, nothing);
	} else if (!strcmp(how, "spawn")) {
		by_spawn(fd, false);
	} else if (!strcmp(how, "spawn-closes")) {
		by_spawn(fd, true);
	} else if (!strcmp(how, "passed")) {
		pass_to(receiver, fd);
		must(read(receiver, &byte, 1) == 1, "receipt");
	} else if (!strcmp(how, "in-flight")) {
		pass_to(receiver, fd);
	} else if (!strcmp(how, "self") || !strcmp(how, "self-marked")) {
		/* this process itself goes on as another program */
		if (!strcmp(how, "self-marked"))
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		open_gate();
		be_talker(fd, environ);
	}
	close(fd);
}

static void survives(const char *how)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	/* orphans are ours to wait for: no drain is started, so one is there before */
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	start_peer(&at);
	int receiver = !strcmp(how, "passed") || !strcmp(how, "in-flight") ? start_receiver() : -1;
	int fd = accept(at.listener, NULL, NULL);
	must(fd >= 0, "accept");
	await(fd, POLLIN);
	share(how, fd, receiver);
	if (strncmp(how, "parent", 6))
		open_gate();
	int status, bad = 0;
	while (waitpid(-1, &status, 0) > 0)
		bad += !!status;
	say("%d bad\n", bad);
}

/* A server with threads, each of which forks for each connection and lets go of it
 * at once. */

enum { SERVERS = 3, EACH = 40 };

static void *serve(void *at)
{
	pid_t children[EACH];
	for (int i = 0; i < EACH; i++) {
		int fd = accept4(((struct meeting *)at)->listener, NULL, NULL, 0);
		must(fd >= 0, "accept");
		children[i] = fork();
		if (!children[i]) {
			alarm(100);
			_exit(!converse(fd));
		}
		must(children[i] > 0 && !close(fd), "fork");
	}
	long bad = 0;
	for (int i = 0; i < EACH; i++)
		bad += ended(children[i]) != 0;
	return (void *)bad;
}

static void *visit(void *at)
{
	long bad = 0;
	for (int i = 0; i < EACH; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		must(!connect(fd, (void *)&((struct meeting *)at)->address, sizeof(struct sockaddr_in)), "connect");
		tell_all(fd, BEFORE);
		if (i & 1)
			usleep(300);
		tell_all(fd, AFTER);
		shutdown(fd, SHUT_WR);
		bad += hear_all(fd) != REPLY;
		close(fd);
	}
	return (void *)bad;
}

static void storm(const char *argument)
{
	struct meeting at[SERVERS];
	pthread_t threads[SERVERS];
	void *bad;
	long all = 0;
	(void)argument;
	for (int i = 0; i < SERVERS; i++)
		at[i] = meeting(50, SOCK_CLOEXEC);
	pid_t visitors = fork();
	for (int i = 0; i < SERVERS; i++)
		must(!pthread_create(&threads[i], NULL, visitors ? serve : visit, &at[i]), "thread");
	for (int i = 0; i < SERVERS; i++, all += (long)bad)
		pthread_join(threads[i], &bad);
	say("%s: %ld bad\n", visitors ? "servers" : "visitors", all);
	if (visitors)
		ended(visitors);
}

#endif

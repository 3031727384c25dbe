/*
 * A process of the walk: does what it is told, by libc's functions. What is said
 * about it goes by raw system calls.
 */
#ifndef WALK_WORKER_H
#define WALK_WORKER_H

#include "walk.h"

#include <linux/close_range.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static void say(int channel, long result)
{
	struct answer answer = { .result = (int)result, .error = result < 0 ? errno : 0 };
	check(raw(SYS_write, channel, &answer, sizeof answer), "answer");
}

/* sockets */

static long listens(int backlog)
{
	struct meeting at = meeting(V4);
	int fd = listener(&at, backlog);
	return fd << 16 | ntohs(((struct sockaddr_in *)&at.address)->sin_port);
}

static long accepts(int from, int flags)
{
	int fd = accept4(from, NULL, NULL, flags);
	close(from);
	if (fd >= 0)
		sends_at_once(fd);
	return fd;
}

static long connects(int port)
{
	struct meeting at = meeting(V4);
	((struct sockaddr_in *)&at.address)->sin_port = htons((uint16_t)port);
	int fd = socket(at.domain, at.type, 0);
	if (connect(fd, (void *)&at.address, at.size))
		return -1;
	sends_at_once(fd);
	return fd;
}

static int pending(int fd)
{
	int bytes;
	return raw(SYS_ioctl, fd, SIOCINQ, &bytes) ? -1 : bytes;
}

static long receives(int fd, int bytes)
{
	static char space[65536];
	return recv(fd, space, (size_t)bytes, MSG_DONTWAIT);
}

static long sends(int fd, int bytes)
{
	static const char space[65536];
	return send(fd, space, (size_t)bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long lingers(int fd, int seconds, bool raw_call)
{
	struct linger value = { seconds >= 0, seconds > 0 ? seconds : 0 };
	return raw_call ? syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, &value, sizeof value)
			: setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof value);
}

/* descriptors */

static long copies(int fd, int onto, int call)
{
	switch (call) {
	case 0: return dup(fd);
	case 1: return fcntl(fd, F_DUPFD, 40);
	case 2: return fcntl(fd, F_DUPFD_CLOEXEC, 60);
	case 3: return syscall(SYS_dup, fd);
	case 4: return syscall(SYS_fcntl, fd, F_DUPFD, 50);
	case 5: return dup2(fd, onto);
	case 6: return dup3(fd, onto, O_CLOEXEC);
	default: return syscall(SYS_dup3, fd, onto, 0);
	}
}

static int at_hand;
static void close_at_hand(int number)
{
	(void)number;
	close(at_hand);
}
static void *close_in_thread(void *unused)
{
	close(at_hand);
	return unused;
}

static long closes_stream(int fd, bool reopens)
{
	FILE *stream = fdopen(fd, "r+");
	if (reopens)
		stream = freopen("/dev/null", "r", stream);
	return stream ? fclose(stream) : -1;
}

static long closes(int fd, int call)
{
	pthread_t thread;
	switch (call) {
	case 0: return close(fd);
	case 1: return closes_stream(fd, false);
	case 2: return closes_stream(fd, true);
	case 3: return close_range((unsigned)fd, (unsigned)fd, 0);
	case 4: return syscall(SYS_close, fd);
	case 5: return syscall(SYS_close_range, fd, fd, 0);
	case 6: return dup2(NULL_DEVICE, fd) == fd ? close(fd) : -1;
	case 7: return dup3(NULL_DEVICE, fd, O_CLOEXEC) == fd ? close(fd) : -1;
	case 8: return close_range((unsigned)fd, (unsigned)fd, CLOSE_RANGE_UNSHARE);
	case 9:
		at_hand = fd;
		signal(SIGUSR1, close_at_hand);
		return raise(SIGUSR1);
	default:
		at_hand = fd;
		return -pthread_create(&thread, NULL, close_in_thread, NULL) | -pthread_join(thread, NULL);
	}
}

/* What a program finds its way back to the library by; and the way itself. */
static char *const *environment(bool traced)
{
	static char text[5][512], *all[6];
	const char *library = getenv("WALK_LIBRARY"), *log = getenv("WALK_LOG");
	static const char *const forms[] = { "WALK_LIBRARY=%s", "WALK_LOG=%s", "LD_PRELOAD=%s", "HALFCLOSE_LOG=%s",
					     "HALFCLOSE_STACK=%s" };
	const char *const values[] = { library, log, library, log, "off" };
	for (int i = 0; i < (traced ? 5 : 2); i++) {
		int n = snprintf(text[i], sizeof text[i], forms[i], values[i]);
		if (!values[i] || n < 0 || n >= (int)sizeof text[i])
			errx(2, "no way to the library");
		all[i] = text[i];
	}
	all[traced ? 5 : 2] = NULL;
	return all;
}

static long fails(int fd, int call)
{
	char *argv[] = { (char[]){ "no" }, NULL };
	switch (call) {
	case 0: return dup2(-1, fd);
	case 1: return dup3(fd, fd, 0);
	case 2: return close_range((unsigned)fd, (unsigned)fd, 1 << 20);
	case 3: return dup2(fd, fd) == fd ? -1 : 0;
	default: return execv("/nonexistent/program", argv);
	}
}

/* processes */

static long passes(int fd, bool many)
{
	union { char bytes[CMSG_SPACE(sizeof fd)]; struct cmsghdr aligned; } control = { 0 };
	struct iovec text = { .iov_base = (char[]){ "" }, .iov_len = 1 };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control,
						.msg_controllen = sizeof control } };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message.msg_hdr);
	*part = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
	memcpy(CMSG_DATA(part), &fd, sizeof fd);
	return many ? sendmmsg(OUTBOX, &message, 1, 0) : sendmsg(OUTBOX, &message.msg_hdr, 0);
}

static long takes(int flags)
{
	int fd = -1;
	char byte;
	union { char bytes[CMSG_SPACE(sizeof fd)]; struct cmsghdr aligned; } control;
	struct iovec text = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof control };
	if (recvmsg(INBOX, &message, flags | MSG_DONTWAIT) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static long forks(int channel, int call)
{
	pid_t child = call == 0 ? fork() : call == 1 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!child)
		work(channel);
	return child;
}

static long spawns(int fd, int call)
{
	char *argv[] = { (char[]){ "walk" }, (char[]){ "--sleep" }, NULL };
	char *const *envp = environment(false);
	posix_spawn_file_actions_t actions;
	pid_t child = -1;
	if (call == 2) {
		if (!(child = vfork())) {
			execve("/proc/self/exe", argv, envp);
			_exit(1);
		}
		return child;
	}
	posix_spawn_file_actions_init(&actions);
	if (call == 1)
		posix_spawn_file_actions_addclose(&actions, fd);
	errno = posix_spawn(&child, "/proc/self/exe", &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return errno ? -1 : child;
}

static long execs(int channel, bool traced, int call)
{
	char number[12];
	char *argv[] = { (char[]){ "walk" }, (char[]){ "--work" }, number, NULL };
	char *const *envp = environment(traced);
	snprintf(number, sizeof number, "%d", channel);
	environ = (char **)envp;
	switch (call) {
	case 0: return execve("/proc/self/exe", argv, envp);
	case 1: return execv("/proc/self/exe", argv);
	case 2: return execl("/proc/self/exe", argv[0], argv[1], argv[2], NULL);
	case 3: return execvpe("/proc/self/exe", argv, envp);
	default: return execle("/proc/self/exe", argv[0], argv[1], argv[2], NULL, envp);
	}
}

static void exits(int call)
{
	switch (call) {
	case 0: _exit(0);
	case 1: exit(0);
	case 2: quick_exit(0);
	case 3: _Exit(0);
	case 4: syscall(SYS_exit_group, 0); __builtin_unreachable();
	default: pthread_exit(NULL);
	}
}

static long done(int channel, const struct command *c)
{
	switch ((enum op)c->op) {
	case LISTEN: return listens(c->number);
	case ACCEPT: return accepts(c->fd, c->number);
	case CONNECT: return connects(c->number);
	case PENDING: return pending(c->fd);
	case RECEIVE: return receives(c->fd, c->number);
	case SEND: return sends(c->fd, c->number);
	case SHUT: return shutdown(c->fd, c->number);
	case LINGER: return lingers(c->fd, c->number, c->to);
	case COPY: return copies(c->fd, c->to, c->number);
	case CLOEXEC: return fcntl(c->fd, F_SETFD, c->number);
	case CLOSE: return closes(c->fd, c->number);
	case CLOSE_RANGE: return close_range((unsigned)c->fd, (unsigned)c->to, c->number);
	case CLOSE_FROM: closefrom(c->fd); return 0;
	case FAIL: return fails(c->fd, c->number);
	case PASS: return passes(c->fd, c->number);
	case TAKE: return takes(c->number);
	case FORK: return forks(c->to, c->number);
	case SPAWN: return spawns(c->fd, c->number);
	case EXEC: return execs(channel, c->to, c->number);
	case REAP: return waitpid(-1, NULL, WNOHANG);
	case EXIT: exits(c->number);
	}
	return -1;
}

static void work(int channel)
{
	struct command command;
	say(channel, (int)raw(SYS_getpid, 0)); /* it is there */
	for (;;) {
		if (raw(SYS_read, channel, &command, sizeof command) != sizeof command)
			raw(SYS_exit_group, 3);
		say(channel, done(channel, &command));
	}
}

static void sleeps(void)
{
	check(raw(SYS_write, READY, "", 1), "ready");
	for (;;)
		pause();
}

#endif

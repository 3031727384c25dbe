/*
 * What a process has and is, looked at before and after it ended a connection
 * gracefully: descriptors, children, threads, signals.
 */
#ifndef SELVES_H
#define SELVES_H

#include "net.h"

#include <dirent.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static _Atomic int got[65];

static void count_signal(int number)
{
	atomic_fetch_add(&got[number], 1);
}

/* A socket that asks for signals gets none once it is closed, whoever reads on. */
static void signals(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	(void)argument;
	signal(SIGIO, count_signal);
	signal(SIGRTMIN, count_signal);
	signal(SIGURG, count_signal);
	for (int i = 0; i < 2; i++) {
		struct pair p = meet(&at);
		must(!fcntl(p.mine, F_SETOWN, getpid()), "F_SETOWN");
		must(!i || !fcntl(p.mine, F_SETSIG, SIGRTMIN), "F_SETSIG");
		must(!fcntl(p.mine, F_SETFL, O_ASYNC), "O_ASYNC");
		int told[2];
		char byte;
		must(!pipe(told), "pipe");
		pid_t peer = fork();
		if (!peer) {
			/* answers the end with more, while somebody reads on: a moment
			 * later, or the close would find it there already */
			alarm(20);
			close(p.mine);
			must(write(told[1], "", 1) == 1, "write");
			while (recv(p.peer, &byte, 1, 0) > 0)
				;
			usleep(20000);
			send(p.peer, "1", 1, MSG_NOSIGNAL);
			send(p.peer, "!", 1, MSG_NOSIGNAL | MSG_OOB);
			shutdown(p.peer, SHUT_WR);
			_exit(0);
		}
		close(p.peer);
		must(read(told[0], &byte, 1) == 1, "read"); /* the child has let it go */
		close(told[0]);
		close(told[1]);
		must(send(p.mine, "?", 1, MSG_NOSIGNAL) == 1, "send");
		int before = atomic_load(&got[SIGIO]) + atomic_load(&got[SIGRTMIN]) + atomic_load(&got[SIGURG]);
		close(p.mine);
		ended(peer);
		int after = atomic_load(&got[SIGIO]) + atomic_load(&got[SIGRTMIN]) + atomic_load(&got[SIGURG]);
		say("after the close: %d\n", after - before);
	}
}

/* The address can be bound again, as ever. */
static void bind_again(const char *argument)
{
	int on = 1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	(void)argument;
	for (int i = 0; i < 4; i++) {
		struct meeting at = { .listener = socket(AF_INET, SOCK_STREAM, 0) };
		must(!setsockopt(at.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
		say("bind: %s\n", bind(at.listener, (void *)&address, sizeof address) ? strerrorname_np(errno) : "done");
		say("listen: %s\n", listen(at.listener, 5) ? strerrorname_np(errno) : "done");
		must(!getsockname(at.listener, (void *)&address, &size), "getsockname");
		at.address = address;
		struct pair p = i & 1 ? meet(&at) : unread(&at);
		close(p.mine);
		close(at.listener);
	}
}

/* On whose side does the connection linger? Ended by a close, or by hand as it
 * should be. */
static void time_wait(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = meet(&at);
	char byte, line[512];
	unsigned here, there, state;
	if (!strcmp(argument, "by-hand"))
		shutdown(p.mine, SHUT_WR);
	else
		close(p.mine);
	must(recv(p.peer, &byte, 1, 0) == 0, "end of file");
	close(p.peer);
	if (!strcmp(argument, "by-hand")) {
		must(recv(p.mine, &byte, 1, 0) == 0, "end of file");
		close(p.mine);
	}
	for (int i = 0; i < 500; i++, usleep(10000)) {
		FILE *file = fopen("/proc/net/tcp", "r");
		must(file, "/proc/net/tcp");
		while (fgets(line, sizeof line, file)) {
			if (sscanf(line, "%*s %*x:%x %*x:%x %x", &here, &there, &state) != 3 || state != 6)
				continue;
			say("waits: %s\n", here == ntohs(at.address.sin_port) ? "here" : "there");
			i = 500;
		}
		fclose(file);
	}
}

static void list(const char *path, bool numbers)
{
	char names[64][NAME_MAX + 1];
	int n = 0;
	DIR *directory = opendir(path);
	if (!directory) {
		say("%s: %s\n", path, strerrorname_np(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(directory)) && n < 64;)
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory))
			snprintf(names[n++], sizeof *names, "%s", entry->d_name);
	closedir(directory);
	say("%s: %d", path, n);
	for (int i = 0; i < n && numbers; i++)
		say(" %s", names[i]);
	say("\n");
}

static void say_file(const char *path, const char *lines)
{
	char line[256];
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (!*lines || !strncmp(line, lines, strlen(lines)))
			say("%s: %s\n", lines, line);
	if (file)
		fclose(file);
}

static void look_at_self(bool numbers)
{
	list("/proc/self/fd", numbers);
	list("/proc/self/task", false);
	say_file("/proc/thread-self/children", "");
	for (const char *const *what = (const char *const[]){ "SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd", "Threads", NULL };
	     *what; what++)
		say_file("/proc/thread-self/status", *what);
	say("children: %s\n", waitpid(-1, NULL, WNOHANG | __WALL) < 0 ? strerrorname_np(errno) : "some");
	say("SIGCHLD: %d\n", atomic_load(&got[SIGCHLD]));
}

static void *end_one(void *at)
{
	struct pair p = answered(at);
	question(&p);
	look_at_self(true);
	errno = 77;
	say("close: %d", close(p.mine));
	say(" %d\n", errno);
	look_at_self(true);
	say("wire: %s\n", answer_at(p.peer));
	return NULL;
}

static void limit(int what, rlim_t most)
{
	struct rlimit both = { most, most };
	must(!setrlimit(what, &both), "setrlimit");
}

static void refuse(long number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, filter };
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "filter");
}

static void run_again(const char *argument)
{
	execl("/proc/self/exe", "host", "self", argument, NULL);
	err(2, "exec");
}

static void *close_alone(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

/* A thread with as little stack as there can be. */
static void close_in_small_thread(int fd)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	must(!pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN), "stack size");
	errno = pthread_create(&thread, &attributes, close_alone, &fd);
	must(!errno, "thread");
	pthread_join(thread, NULL);
}

/* As little as there can be of something: what the close needs is not to be had,
 * or all there is. */
static void close_one(const struct meeting *at, const char *how)
{
	struct pair p = answered(at);
	question(&p);
	if (!strcmp(how, "small"))
		close_in_small_thread(p.mine);
	else if (!strcmp(how, "full"))
		limit(RLIMIT_NOFILE, 3);
	if (strcmp(how, "small"))
		say("close: %d\n", close(p.mine));
	int next = open("/dev/null", O_RDONLY);
	say("next: %d %s\n", next == p.mine, next < 0 ? strerrorname_np(errno) : "");
	say("wire: %s\n", answer_at(p.peer));
}

/* ARGUMENT: in what state it is that starts the drain. */
static void self(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	if (!strcmp(argument, "handler")) {
		signal(SIGCHLD, count_signal);
	} else if (!strcmp(argument, "ignored")) {
		signal(SIGCHLD, SIG_IGN);
	} else if (!strcmp(argument, "blocked")) {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
	} else if (!strcmp(argument, "adopts")) {
		must(!prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	} else if (!strcmp(argument, "parent-adopts")) {
		must(!prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
		pid_t child = fork();
		if (!child) {
			end_one(&at);
			_exit(0);
		}
		say("child: %x\n", (unsigned)ended(child));
		look_at_self(true);
		return;
	} else if (!strcmp(argument, "full")) {
		close_one(&at, argument);
		return;
	} else if (!strcmp(argument, "nobody")) {
		limit(RLIMIT_NPROC, 0);
		must(!setgid(65534) && !setuid(65534), "setuid");
	} else if (!strcmp(argument, "no-clone")) {
		refuse(SYS_clone);
		run_again("");
	} else if (!strcmp(argument, "small")) {
		close_one(&at, argument);
		return;
	} else if (!strcmp(argument, "memory")) {
		struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
		void *space = malloc(1);
		free(space);
		all.rlim_cur = 1;
		must(!setrlimit(RLIMIT_AS, &all), "RLIMIT_AS");
	} else if (!strncmp(argument, "/", 1)) {
		must(!chroot(argument) && !chdir("/"), "chroot");
	} else if (!strcmp(argument, "many")) {
		limit(RLIMIT_NOFILE, 20000);
		for (int i = 0; i < 10000; i++)
			must(open("/dev/null", O_RDONLY | (i & 1 ? O_CLOEXEC : 0)) >= 0, "open");
		close_one(&at, argument);
		say("last: %d\n", fcntl(9999, F_GETFD));
		return;
	}
	end_one(&at);
}

/* A port is free when its last descriptor ends, also while another thread starts
 * drains: nothing of theirs has a copy of it, nor of any other number so high. */
static _Atomic bool over;
static _Atomic int taken;

static void *bind_over_and_over(void *at)
{
	while (!atomic_load(&over)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, at, sizeof(struct sockaddr_in)) || listen(fd, 1))
			atomic_fetch_add(&taken, 1);
		must(fd > 200 && !close(fd), "close");
	}
	return NULL;
}

static void rebind(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC), port = meeting(5, SOCK_CLOEXEC);
	int n = atoi(argument), whole = 0;
	pthread_t thread;
	close(port.listener);
	limit(RLIMIT_NOFILE, 5000);
	for (int i = 0; i < 3000; i++)
		must(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0, "open");
	/* a hole amid them, the lowest number there is */
	close(201);
	must(!pthread_create(&thread, NULL, bind_over_and_over, &port.address), "thread");
	for (int i = 0; i < n; i++) {
		struct pair p = answered(&at);
		question(&p);
		must(!close(p.mine), "close");
		whole += !strcmp(answer_at(p.peer), "whole");
		usleep(2000);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	say("port taken: %d\n", atomic_load(&taken));
	say("wire: %d of %d\n", whole, n);
}

/* Threads that open, close and fork while others end connections, the first of
 * which starts the drain. */
static void *keep_busy(void *how)
{
	while (!atomic_load(&over)) {
		if (*(int *)how) {
			pid_t child = fork();
			if (!child)
				syscall(SYS_exit_group, 0);
			must(child < 0 || ended(child) == 0, "child");
		} else {
			int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
			must(fd >= 0 && !close(fd), "open and close");
		}
	}
	return NULL;
}

static _Atomic int whole;

static void *end_some(void *at)
{
	enum { AT_A_TIME = 10 };
	struct pair p[AT_A_TIME];
	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < AT_A_TIME; j++)
			p[j] = answered(at);
		for (int j = 0; j < AT_A_TIME; j++) {
			question(&p[j]);
			must(!close(p[j].mine), "close");
		}
		for (int j = 0; j < AT_A_TIME; j++)
			if (!strcmp(answer_at(p[j].peer), "whole"))
				atomic_fetch_add(&whole, 1);
	}
	return NULL;
}

static void crowd(const char *argument)
{
	pthread_t threads[5];
	int busy[2] = { 0, !strcmp(argument, "forks") };
	for (int i = 0; i < 2; i++)
		must(!pthread_create(&threads[i], NULL, keep_busy, &busy[i]), "thread");
	struct meeting at[3];
	for (int i = 0; i < 3; i++) {
		at[i] = meeting(50, SOCK_CLOEXEC);
		must(!pthread_create(&threads[2 + i], NULL, end_some, &at[i]), "thread");
	}
	for (int i = 2; i < 5; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&over, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	look_at_self(false);
	say("wire: %d of 150\n", atomic_load(&whole));
}

#endif

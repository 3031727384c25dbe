/*
 * Ends in a program of several threads.
 */
#ifndef WAYS_THREADS_H
#define WAYS_THREADS_H

#include "ways_alone.h"

#include <sched.h>
#include <sys/stat.h>

static struct blocked {
	int fd, events;
	size_t bytes;
	_Atomic int tid;
} blocked;

static void *reads(void *unused)
{
	char space[16];
	blocked.tid = (int)raw(SYS_gettid, 0);
	if (recv(blocked.fd, space, blocked.bytes, 0) != (ssize_t)blocked.bytes)
		err(2, "recv");
	return unused;
}

static void *polls(void *unused)
{
	struct pollfd p = { .fd = blocked.fd, .events = POLLRDHUP };
	blocked.tid = (int)raw(SYS_gettid, 0);
	if (poll(&p, 1, 60000) != 1)
		err(2, "poll");
	return unused;
}

/* The thread sleeps in a system call that was given the descriptor: the kernel
 * says which, with its arguments. (poll's is a pointer to it.) */
static pthread_t sleeping(void *(*function)(void *), int fd, size_t bytes, long call)
{
	char path[64], text[32] = "", expected[32];
	pthread_t thread;

	blocked = (struct blocked){ .fd = fd, .bytes = bytes };
	pthread_create(&thread, NULL, function, NULL);
	int length = snprintf(expected, sizeof expected, "%ld ", call);
	for (int i = 0; i < 1000000; i++) {
		int tid = blocked.tid;
		sched_yield();
		if (!tid)
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
		int file = open(path, O_RDONLY | O_CLOEXEC);
		check(file, path);
		ssize_t n = read(file, text, sizeof text - 1);
		close(file);
		if (n > length && !memcmp(text, expected, (size_t)length))
			return thread;
	}
	errx(2, "the thread does not sleep");
}

static void blocked_reader(enum kind kind, size_t bytes)
{
	struct pair p = accepted(kind);
	pthread_t thread = sleeping(reads, p.mine, bytes, SYS_recvfrom);
	close(p.mine);
	check(raw(SYS_sendto, p.peer, "0123456789", 10, MSG_NOSIGNAL, 0, 0), "peer: send");
	pthread_join(thread, NULL);
	peer_closes(&p);
}
static void reader_takes_all(enum kind kind) { blocked_reader(kind, 10); }
static void reader_takes_part(enum kind kind) { blocked_reader(kind, 5); }

static void poller_unread(enum kind kind)
{
	struct pair p = unread(kind);
	pthread_t thread = sleeping(polls, p.mine, 0, SYS_poll);
	close(p.mine);
	check(raw(SYS_shutdown, p.peer, SHUT_WR), "peer: shutdown");
	pthread_join(thread, NULL);
	peer_closes(&p);
}

static void *parts_with(void *fd)
{
	unsigned number = (unsigned)*(int *)fd;
	check(close_range(number, number, CLOSE_RANGE_UNSHARE), "close_range");
	return NULL;
}

/* The other threads keep what the one that unshares lets go. */
static void thread_unshares(enum kind kind)
{
	pthread_t thread;
	struct pair p = unread(kind);
	pthread_create(&thread, NULL, parts_with, &p.mine);
	pthread_join(thread, NULL);
	close(p.mine);
	peer_closes(&p);
}

static void *does_nothing(void *unused)
{
	return unused;
}

static void last_thread_unshares(enum kind kind)
{
	pthread_t thread;
	struct stat tasks;
	struct timespec pause = { .tv_nsec = 100000 };
	pthread_create(&thread, NULL, does_nothing, NULL);
	pthread_join(thread, NULL);
	/* which was before the kernel let it go */
	for (int tries = 0; check(stat("/proc/self/task", &tasks), "/proc/self/task"), tasks.st_nlink != 3; tries++) {
		if (tries == 100000)
			errx(2, "the thread does not end");
		raw(SYS_nanosleep, &pause, NULL);
	}
	struct pair p = unread(kind);
	check(close_range((unsigned)p.mine, (unsigned)p.mine, CLOSE_RANGE_UNSHARE), "close_range");
	peer_closes(&p);
}

static void *leaves(void *unused)
{
	(void)unused;
	_exit(0);
}

static void thread_exits(enum kind kind)
{
	pthread_t thread;
	unread(kind);
	pthread_create(&thread, NULL, leaves, NULL);
	pthread_join(thread, NULL);
}

static void *remains(void *first)
{
	pthread_join(*(pthread_t *)first, NULL);
	return NULL;
}

/* The process ends with its last thread. */
static void last_thread_ends(enum kind kind)
{
	static pthread_t first;
	pthread_t thread;
	unread(kind);
	first = pthread_self();
	pthread_create(&thread, NULL, remains, &first);
	pthread_exit(NULL);
}

#endif

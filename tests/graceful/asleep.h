/*
 * A descriptor that ends while another thread sleeps in a call on it: that call
 * comes to its end as under a bare close.
 */
#ifndef ASLEEP_H
#define ASLEEP_H

#include "net.h"

#include <linux/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { LONG_TEXT = 3000000 };

static struct sleeper {
	int fd, flags;
	long call;
	size_t bytes;
	_Atomic int tid;
	ssize_t done;
	bool again;
} sleeper;

static void *sleeps(void *unused)
{
	static char space[LONG_TEXT];
	sleeper.tid = (int)syscall(SYS_gettid);
	struct pollfd input = { .fd = sleeper.fd, .events = POLLIN };
	if (sleeper.call == SYS_recvfrom)
		sleeper.done = recv(sleeper.fd, space, sleeper.bytes, sleeper.flags);
	else if (sleeper.call == SYS_poll)
		sleeper.done = poll(&input, 1, 20000);
	else
		sleeper.done = send(sleeper.fd, space, sleeper.bytes, sleeper.flags);
	/* as who has more to say than one call takes */
	if (sleeper.again)
		send(sleeper.fd, space, sleeper.bytes, sleeper.flags);
	return unused;
}

/* Is it in that call, and does it stay there? The kernel says so. */
static bool is_asleep(void)
{
	char path[64], text[32], expected[32];
	int length = snprintf(expected, sizeof expected, "%ld ", sleeper.call);
	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", sleeper.tid);
	for (int i = 0; i < 5; i++, usleep(1000)) {
		int file = open(path, O_RDONLY | O_CLOEXEC);
		must(file >= 0, path);
		ssize_t n = read(file, text, sizeof text);
		close(file);
		if (n <= length || memcmp(text, expected, (size_t)length))
			return false;
	}
	return true;
}

static pthread_t sleeping(int fd, long call, size_t bytes, int flags)
{
	pthread_t thread;
	sleeper = (struct sleeper){ .fd = fd, .flags = flags, .call = call, .bytes = bytes };
	must(!pthread_create(&thread, NULL, sleeps, NULL), "thread");
	for (int i = 0; i < 5000; i++, usleep(1000))
		if (sleeper.tid && is_asleep())
			return thread;
	errx(2, "the thread does not sleep");
}

/* Asleep in a send of more than there is room for: here, and at the peer, who has
 * acknowledged all that it takes. */
static pthread_t writing(int fd, int flags)
{
	int little = 65536;
	must(!setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little), "SO_SNDBUF");
	pthread_t thread = sleeping(fd, SYS_sendto, LONG_TEXT, flags);
	for (int i = 0; i < 5000; i++, usleep(1000)) {
		struct tcp_info is = { 0 };
		socklen_t size = sizeof is;
		must(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &is, &size), "TCP_INFO");
		if (!is.tcpi_unacked && is.tcpi_notsent_bytes && is_asleep())
			return thread;
	}
	errx(2, "there is room for all of it");
}

/* The peer speaks when it has seen our end, or a while after it. */
struct speaker {
	int peer;
	size_t at_once;
};

static void *speaks(void *argument)
{
	enum { ALL = 8 };
	const struct speaker *speaker = argument;
	struct pollfd end = { .fd = speaker->peer, .events = POLLIN };
	poll(&end, 1, 50);
	/* the pieces over a longer while than anybody leaves them alone for */
	for (size_t sent = 0; sent < ALL; sent += speaker->at_once, usleep(30000))
		must(send(speaker->peer, "12345678", speaker->at_once, MSG_NOSIGNAL) == (ssize_t)speaker->at_once,
		     "send");
	return NULL;
}

static void pin(pthread_t thread, int processor)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET((size_t)processor, &one);
	must(!(errno = pthread_setaffinity_np(thread, sizeof one, &one)), "affinity");
}

/* Takes a processor for itself, where it may, for longer than anybody is given to
 * wake up: whoever sleeps there is woken, and does not run. */
static void *crowds_out(void *gone)
{
	struct timespec from, now;
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
	clock_gettime(CLOCK_MONOTONIC, &from);
	atomic_store((_Atomic bool *)gone, true);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < 400);
	return NULL;
}

/* The sleeper stays where its processor is another's. */
static pthread_t crowd_out(pthread_t thread)
{
	_Atomic bool is_there = false;
	int processor = sched_getcpu();
	pthread_attr_t attributes;
	pthread_t other;
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET((size_t)processor, &one);
	pin(thread, processor);
	pthread_attr_init(&attributes);
	must(!(errno = pthread_attr_setaffinity_np(&attributes, sizeof one, &one)) &&
	     !(errno = pthread_create(&other, &attributes, crowds_out, &is_there)), "thread");
	while (!atomic_load(&is_there))
		usleep(1000);
	return other;
}

/* It gets what comes, whoever else reads on; and is told of it. */
static void reader(const char *how)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	bool pieces = !strcmp(how, "pieces"), slow = !strcmp(how, "slow");
	for (int i = 0; i < (slow ? 3 : 10); i++) {
		struct pair p = meet(&at);
		struct speaker one = { p.peer, pieces ? 2 : 8 };
		long call = strcmp(how, "poll") ? SYS_recvfrom : SYS_poll;
		must(call != SYS_poll || !fcntl(p.mine, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
		pthread_t thread = sleeping(p.mine, call, strcmp(how, "part") ? 8 : 5, pieces ? MSG_WAITALL : 0), other;
		pthread_t crowd = slow ? crowd_out(thread) : thread;
		must(!pthread_create(&other, NULL, speaks, &one), "thread");
		say("close: %d\n", close(p.mine));
		pthread_join(other, NULL);
		if (slow)
			pthread_join(crowd, NULL);
		pthread_join(thread, NULL);
		say("read: %zd\n", sleeper.done);
		say("wire: %s\n", other_end(p.peer));
	}
}

/* All of what it writes arrives. */
static void writer(const char *how)
{
	static char space[65536];
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	(void)how;
	for (int i = 0; i < 5; i++) {
		struct pair p = meet(&at);
		long all = 0;
		ssize_t n;
		pthread_t thread = writing(p.mine, MSG_NOSIGNAL);
		say("close: %d\n", close(p.mine));
		while ((n = recv(p.peer, space, sizeof space, 0)) > 0)
			all += n;
		pthread_join(thread, NULL);
		say("written: %zd; arrived: %ld, %zd\n", sleeper.done, all, n);
		close(p.peer);
	}
}

/* Nor does the process end in another way, whether its thread sleeps, as the peer
 * does not read, or is at work. */
static void *writes_on(void *fd)
{
	static char space[5000];
	while (send(*(int *)fd, space, sizeof space, 0) > 0)
		;
	return NULL;
}

static void exit_while_writing(const struct meeting *at, bool asleep)
{
	pthread_t thread;
	char byte;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	signal(SIGPIPE, SIG_DFL);
	must(!connect(fd, (const void *)&at->address, sizeof at->address), "connect");
	if (asleep) {
		writing(fd, 0);
		sleeper.again = true;
	} else {
		must(!pthread_create(&thread, NULL, writes_on, &fd), "thread");
		/* the peer has read some of it */
		must(recv(fd, &byte, 1, 0) == 1, "go");
	}
	exit(7);
}

static void writer_at_exit(const char *how)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	bool asleep = !strcmp(how, "asleep");
	static char space[65536];
	for (int i = 0; i < 10; i++) {
		pid_t child = fork();
		if (!child)
			exit_while_writing(&at, asleep);
		int peer = accept(at.listener, NULL, NULL);
		for (long all = 0, n; !asleep && (n = recv(peer, space, sizeof space, 0)) > 0; all += n)
			if (all < 1000000 && all + n >= 1000000)
				send(peer, "!", 1, MSG_NOSIGNAL);
		say("exit: %x\n", (unsigned)ended(child));
		close(peer);
	}
}

#endif

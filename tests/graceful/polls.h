/*
 * A descriptor that was closed is in no epoll set. An eventfd that is added last
 * ends each look: what is ready then, is ready for good, since loopback delivers
 * before send returns.
 */
#ifndef POLLS_H
#define POLLS_H

#include "net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { SENTINEL = 99 };

static void add(int set, int fd, uint32_t events, uint32_t number)
{
	struct epoll_event event = { .events = events, .data.u32 = number };
	say("add %u: %s\n", number, epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) ? strerrorname_np(errno) : "done");
}

/* Says what the set has, by number. */
static void look(const char *when, int set)
{
	struct epoll_event events[16], event = { .events = EPOLLIN, .data.u32 = SENTINEL };
	int end = eventfd(1, EFD_CLOEXEC);
	must(end >= 0 && !epoll_ctl(set, EPOLL_CTL_ADD, end, &event), "eventfd");
	int n = epoll_wait(set, events, 16, 10000);
	say("%s:", when);
	for (unsigned number = 0; number < SENTINEL; number++)
		for (int i = 0; i < n; i++)
			if (events[i].data.u32 == number)
				say(" %u(%x)", number, events[i].events);
	say(" of %d\n", n);
	must(!epoll_ctl(set, EPOLL_CTL_DEL, end, &event), "sentinel");
	close(end);
}

static void more_comes(int peer)
{
	send(peer, "more", 4, MSG_NOSIGNAL);
}

/* What only the wire shows: the peer's end, without its data. */
static void end_of(int peer)
{
	say("wire: %s\n", other_end(peer));
}

/* errno and result stay, and the number is the next one given out. */
static void returns(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	(void)argument;
	for (int i = 0; i < 3; i++) {
		struct pair p = unread(&at);
		errno = 77;
		int result = close(p.mine), kept = errno, next = open("/dev/null", O_RDONLY);
		say("%d %d %d %d\n", result, kept, p.mine, next);
		close(next);
		end_of(p.peer);
	}
	struct pair p = unread(&at);
	FILE *stream = fdopen(p.mine, "r+");
	errno = 77;
	int result = fclose(stream), kept = errno, next = open("/dev/null", O_RDONLY);
	say("%d %d %d %d\n", result, kept, p.mine, next);
	close(next);
	end_of(p.peer);
	say("%d\n", close(p.mine) ? errno : 0);
}

static void poll_one(const char *argument)
{
	static const uint32_t kinds[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE };
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	(void)argument;
	for (int i = 0; i < 4; i++)
		for (int looked = 0; looked < 2; looked++) {
			struct pair p = unread(&at);
			int set = epoll_create1(EPOLL_CLOEXEC);
			add(set, p.mine, EPOLLIN | EPOLLOUT | kinds[i], 1);
			if (looked)
				look("before", set);
			close(p.mine);
			look("after", set);
			more_comes(p.peer);
			look("more", set);
			end_of(p.peer);
			look("end", set);
			close(set);
		}
}

static void poll_nested(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = unread(&at);
	int inner = epoll_create1(0), middle = epoll_create1(0), outer = epoll_create1(0);
	(void)argument;
	add(inner, p.mine, EPOLLIN, 1);
	add(middle, inner, EPOLLIN, 2);
	add(outer, middle, EPOLLIN | EPOLLET, 3);
	add(outer, p.mine, EPOLLIN, 4);
	look("before", outer);
	close(p.mine);
	more_comes(p.peer);
	look("outer", outer);
	look("middle", middle);
	look("inner", inner);
	end_of(p.peer);
}

/* Another socket has the number at once. */
static void poll_reused(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = unread(&at), q;
	int set = epoll_create1(0);
	(void)argument;
	add(set, p.mine, EPOLLIN, 1);
	q.peer = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(q.peer, (void *)&at.address, sizeof at.address), "connect");
	close(p.mine);
	q.mine = accept(at.listener, NULL, NULL);
	say("the same: %d\n", q.mine == p.mine);
	add(set, q.mine, EPOLLIN, 2);
	more_comes(p.peer);
	look("nothing", set);
	more_comes(q.peer);
	look("its own", set);
	close(q.mine);
	look("closed", set);
	end_of(p.peer);
	end_of(q.peer);
}

/* Under the number that is in the set the socket ends first, or last. */
static void poll_copied(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	bool first = !strcmp(argument, "first");
	struct pair p = unread(&at);
	int set = epoll_create1(0), copy = dup(p.mine);
	add(set, p.mine, EPOLLIN, 1);
	close(first ? p.mine : copy);
	look("one closed", set);
	close(first ? copy : p.mine);
	more_comes(p.peer);
	look("both closed", set);
	end_of(p.peer);
	look("end", set);
}

/* The set is known under another number than the one that was added to. */
static void poll_set_copied(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = unread(&at);
	int set = epoll_create1(0), copy = fcntl(set, F_DUPFD, 50), onto = dup2(set, 60);
	(void)argument;
	add(set, p.mine, EPOLLIN, 1);
	close(set);
	close(copy);
	look("before", onto);
	close(p.mine);
	more_comes(p.peer);
	look("after", onto);
	end_of(p.peer);
}

static void in_a_child(void (*run)(int set, const struct meeting *at, const struct pair *p), int set,
                       const struct meeting *at, const struct pair *p)
{
	pid_t child = fork();
	must(child >= 0, "fork");
	if (!child) {
		alarm(60);
		run(set, at, p);
		_exit(0);
	}
	say("child: %x\n", (unsigned)ended(child));
}

static void own_connection(int set, const struct meeting *at, const struct pair *unused)
{
	struct pair p = unread(at);
	(void)unused;
	add(set, p.mine, EPOLLIN, 5);
	look("child before", set);
	close(p.mine);
	more_comes(p.peer);
	look("child after", set);
	end_of(p.peer);
}

static void lets_go(int set, const struct meeting *at, const struct pair *p)
{
	(void)at;
	close(p->peer);
	close(p->mine);
	look("child let go", set);
}

static int gate[2];

static void is_last(int set, const struct meeting *at, const struct pair *p)
{
	char byte;
	(void)at;
	/* its parent has closed both, as it left to the child */
	int peer = dup(p->peer);
	close(p->peer);
	close(gate[1]);
	must(!read(gate[0], &byte, 1), "gate");
	look("last before", set);
	close(p->mine);
	more_comes(peer);
	look("last after", set);
	end_of(peer);
}

/* Sets that a parent and its child share. */
static void poll_forked(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = unread(&at);
	int set = epoll_create1(0);
	(void)argument;
	in_a_child(own_connection, set, &at, NULL);
	look("parent", set);
	add(set, p.mine, EPOLLIN, 1);
	in_a_child(lets_go, set, &at, &p);
	look("before", set);
	close(p.mine);
	more_comes(p.peer);
	look("after", set);
	end_of(p.peer);

	p = unread(&at);
	add(set, p.mine, EPOLLIN, 2);
	must(!pipe(gate), "pipe");
	fflush(NULL);
	pid_t child = fork();
	if (!child) {
		is_last(set, &at, &p);
		_exit(0);
	}
	close(p.mine), close(p.peer);
	close(gate[0]), close(gate[1]);
	say("child: %x\n", (unsigned)ended(child));
	look("all gone", set);
}

enum { WAITERS = 4, CONNECTIONS = 200 };

static _Atomic int said[CONNECTIONS], ghosts, seen;

static void *wait_for_events(void *set)
{
	struct epoll_event events[4];
	for (;;) {
		int n = epoll_wait(*(int *)set, events, 4, 10000);
		must(n >= 0, "epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == SENTINEL << 8)
				return NULL;
			/* each has one event, of its output, before it is closed */
			if (atomic_fetch_add(&said[events[i].data.u32], 1))
				atomic_fetch_add(&ghosts, 1);
			else
				atomic_fetch_add(&seen, 1);
		}
	}
}

/* Threads wait for events of one set while another closes what is in it. */
static void poll_threads(const char *argument)
{
	struct meeting at = meeting(50, SOCK_CLOEXEC);
	int set = epoll_create1(0), end = eventfd(1, 0);
	pthread_t threads[WAITERS];
	struct pair pairs[CONNECTIONS];
	(void)argument;
	for (int i = 0; i < WAITERS; i++)
		must(!pthread_create(&threads[i], NULL, wait_for_events, &set), "thread");
	for (int i = 0; i < CONNECTIONS; i++) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = (uint32_t)i };
		pairs[i] = meet(&at);
		must(!epoll_ctl(set, EPOLL_CTL_ADD, pairs[i].mine, &event), "add");
	}
	while (atomic_load(&seen) < CONNECTIONS)
		usleep(1000);
	for (int i = 0; i < CONNECTIONS; i++) {
		close(pairs[i].mine);
		more_comes(pairs[i].peer);
		close(pairs[i].peer);
	}
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = SENTINEL << 8 };
	must(!epoll_ctl(set, EPOLL_CTL_ADD, end, &event), "sentinel");
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
	say("ghosts: %d\n", atomic_load(&ghosts));
}

#endif

/*
 * A shutdown of both directions, after which any input is answered with a reset;
 * as event loops do it, and where somebody would notice that it is put off.
 */
#ifndef RDWR_H
#define RDWR_H

#include "asleep.h"
#include "polls.h"

static void shut(int fd)
{
	errno = 77;
	int result = shutdown(fd, SHUT_RDWR), kept = errno;
	say("shutdown: %d %d\n", result, kept);
}

/* The peer has our end at once, and goes on to speak. */
static void late_input(int peer)
{
	char byte;
	await(peer, POLLIN);
	say("peer: %zd\n", recv(peer, &byte, 1, 0));
	must(send(peer, "late", 4, MSG_NOSIGNAL) == 4, "send");
}

static void rest(const struct pair *p)
{
	int error = 0;
	socklen_t size = sizeof error;
	late_input(p->peer);
	say("close: %d\n", close(p->mine));
	must(!getsockopt(p->peer, SOL_SOCKET, SO_ERROR, &error, &size), "SO_ERROR");
	say("wire: %s\n", error ? strerrorname_np(error) : "taken");
	close(p->peer);
}

static void take_out(int set, int fd)
{
	say("del: %d\n", epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
}

/* Its process ends with it, or goes on as another program. */
static void leave_with(const struct meeting *at, bool as_another)
{
	struct pair p = { .peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	must(!connect(p.peer, (const void *)&at->address, sizeof at->address), "connect");
	pid_t child = fork();
	if (!child) {
		close(p.peer);
		p.mine = accept4(at->listener, NULL, NULL, SOCK_CLOEXEC);
		must(p.mine >= 0, "accept");
		shut(p.mine);
		raise(SIGSTOP);
		if (as_another)
			execl("/bin/true", "true", NULL);
		_exit(0);
	}
	int status;
	must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "child");
	late_input(p.peer);
	kill(child, SIGCONT);
	say("child: %x\n", (unsigned)ended(child));
	say("wire: %s\n", other_end(p.peer));
}

static void *polls_for_hang_up(void *fd)
{
	struct pollfd p = { .fd = *(int *)fd, .events = POLLRDHUP };
	sleeper.tid = (int)syscall(SYS_gettid);
	sleeper.done = poll(&p, 1, 10000);
	return NULL;
}

/* Another thread waits for it, and wakes up. */
static void wake(int fd, bool polls)
{
	pthread_t thread;
	if (polls) {
		sleeper = (struct sleeper){ .call = SYS_poll };
		must(!pthread_create(&thread, NULL, polls_for_hang_up, &fd), "thread");
		for (int i = 0; i < 5000 && !(sleeper.tid && is_asleep()); i++)
			usleep(1000);
	} else {
		thread = sleeping(fd, SYS_recvfrom, 5, 0);
	}
	shut(fd);
	pthread_join(thread, NULL);
	say("woke up with %zd\n", sleeper.done);
}

static void shared(const struct pair *p)
{
	int gate_here[2];
	char byte;
	must(!pipe(gate_here), "pipe");
	pid_t child = fork();
	if (!child) {
		close(gate_here[1]);
		must(!read(gate_here[0], &byte, 1), "gate");
		say("the other holder reads %zd\n", recv(p->mine, &byte, 1, MSG_DONTWAIT));
		_exit(0);
	}
	close(gate_here[0]);
	shut(p->mine);
	close(gate_here[1]);
	ended(child);
}

static void rdwr(const char *how)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	int set = epoll_create1(EPOLL_CLOEXEC), other = epoll_create1(EPOLL_CLOEXEC);
	char byte;
	if (!strcmp(how, "exit") || !strcmp(how, "exec")) {
		leave_with(&at, !strcmp(how, "exec"));
		return;
	}
	struct pair p = strcmp(how, "unread") ? meet(&at) : unread(&at);
	if (!strcmp(how, "left") || !strcmp(how, "unread")) {
		/* as twisted's reactor does it */
		add(set, p.mine, EPOLLIN, 1);
		take_out(set, p.mine);
		shut(p.mine);
	} else if (!strcmp(how, "raw")) {
		say("raw: %ld\n", syscall(SYS_shutdown, p.mine, SHUT_RDWR));
	} else if (!strcmp(how, "in")) {
		add(set, p.mine, EPOLLIN, 1);
		shut(p.mine);
		look("in", set);
	} else if (!strcmp(how, "in-another")) {
		add(set, p.mine, EPOLLIN, 1);
		add(other, p.mine, EPOLLIN | EPOLLET, 2);
		take_out(set, p.mine);
		shut(p.mine);
		look("in another", other);
	} else if (!strcmp(how, "changed")) {
		struct epoll_event none = { .data.u32 = 3 };
		add(set, p.mine, EPOLLIN, 1);
		must(!epoll_ctl(set, EPOLL_CTL_MOD, p.mine, &none), "EPOLL_CTL_MOD");
		shut(p.mine);
		look("changed", set);
	} else if (!strcmp(how, "reader") || !strcmp(how, "poller")) {
		wake(p.mine, !strcmp(how, "poller"));
	} else if (!strcmp(how, "copied")) {
		int copy = dup(p.mine);
		shut(p.mine);
		say("the copy reads %zd\n", recv(copy, &byte, 1, MSG_DONTWAIT));
		close(copy);
	} else if (!strcmp(how, "shared")) {
		shared(&p);
	} else {
		shut(p.mine);
	}
	rest(&p);
}

/* What is left of the difference: a read does not see the end, but comes back. */
static void rdwr_read(const char *how)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = meet(&at);
	char byte;
	(void)how;
	shut(p.mine);
	errno = 0;
	ssize_t n = recv(p.mine, &byte, 1, 0);
	say("read: %zd %s\n", n, n < 0 ? strerrorname_np(errno) : "");
}

#endif

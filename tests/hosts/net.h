/*
 * Loopback connections, and lines on standard output that are the same whoever
 * else is loaded.
 */
#ifndef NET_H
#define NET_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Past stdio's buffers, which a forked child would have twice. errno is kept. */
static inline __attribute__((format(printf, 1, 2))) void say(const char *form, ...)
{
	int kept = errno;
	va_list arguments;
	va_start(arguments, form);
	vdprintf(1, form, arguments);
	va_end(arguments);
	errno = kept;
}

static inline void must(bool is_so, const char *what)
{
	if (!is_so)
		err(2, "%s", what);
}

struct meeting {
	struct sockaddr_in address;
	int listener;
};

static inline struct meeting meeting(int backlog, int flags)
{
	struct meeting at = { .address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at.address;
	at.listener = socket(AF_INET, SOCK_STREAM | flags, 0);
	must(at.listener >= 0 && !bind(at.listener, (void *)&at.address, size) && !listen(at.listener, backlog) &&
	     !getsockname(at.listener, (void *)&at.address, &size), "listen");
	return at;
}

struct pair {
	int mine, peer;
};

static inline struct pair meet(const struct meeting *at)
{
	struct pair pair = { .peer = socket(AF_INET, SOCK_STREAM, 0) };
	must(pair.peer >= 0 && !connect(pair.peer, (const void *)&at->address, sizeof at->address), "connect");
	pair.mine = accept(at->listener, NULL, NULL);
	must(pair.mine >= 0, "accept");
	return pair;
}

static inline void await(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;
	while ((n = poll(&p, 1, 20000)) < 0 && errno == EINTR)
		;
	must(n == 1, "await");
}

/* mine has a byte that nobody will read */
static inline struct pair unread(const struct meeting *at)
{
	struct pair pair = meet(at);
	must(send(pair.peer, "?", 1, MSG_NOSIGNAL) == 1, "send");
	await(pair.mine, POLLIN);
	return pair;
}

/* What the other end gets, and its end. */
static inline const char *other_end(int peer)
{
	char byte;
	await(peer, POLLIN);
	ssize_t n = recv(peer, &byte, 1, 0);
	const char *what = n < 0 ? strerrorname_np(errno) : n ? "a byte" : "end of file";
	close(peer);
	return what;
}

static inline int ended(pid_t child)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		must(errno == EINTR, "waitpid");
	return status;
}

#endif

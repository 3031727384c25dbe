/*
 * What the walk's conductor and its processes say to each other.
 */
#ifndef WALK_H
#define WALK_H

#include "pair.h"

#include <fcntl.h>

/* The same numbers in every process; sockets come above them. */
enum {
	WORKERS = 8,
	CHANNEL = 3,                 /* and the next: a worker's end of its channel */
	OUTBOX = CHANNEL + WORKERS,  /* sockets in messages go in here, */
	INBOX,                       /* and come out here */
	NULL_DEVICE,
	READY,                       /* where a sleeper says that it runs */
	FIRST,
};

enum op {
	/* sockets */
	LISTEN,      /* number: backlog. Answers the port */
	ACCEPT,      /* fd: the listener, which is closed; number: flags */
	CONNECT,     /* number: port */
	PENDING,     /* how much is there to be read? */
	RECEIVE,     /* number: at most so many bytes */
	SEND,        /* number: so many bytes */
	SHUT,        /* number: side */
	LINGER,      /* number: seconds, or -1 for off; to: by syscall() */
	/* descriptors */
	COPY,        /* number: which call; to: onto this one */
	CLOEXEC,     /* number: on or off */
	CLOSE,       /* number: which call */
	CLOSE_RANGE, /* fd to `to`; number: flags */
	CLOSE_FROM,
	FAIL,        /* number: which call */
	/* processes */
	PASS,        /* into the outbox; number: by sendmmsg */
	TAKE,        /* from the inbox; number: flags */
	FORK,        /* to: the child's channel; number: which call. Answers its pid */
	SPAWN,       /* number: which call; fd: to be closed there. Answers its pid */
	EXEC,        /* number: which call; to: traced afterwards */
	REAP,
	EXIT,        /* number: which call */
};

enum { COPIES = 8, CLOSES = 11, FAILURES = 5, FORKS = 3, SPAWNS = 3, EXECS = 5, EXITS = 6 };

struct command {
	int op, fd, to, number;
};

struct answer {
	int result, error;
};

/* What is sent goes out with its step, not when the other end has acknowledged what
 * was sent before. */
static inline void sends_at_once(int fd)
{
	int one = 1;
	check(raw(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
}

/* in walk_worker.h */
static void work(int channel) __attribute__((noreturn));

#endif

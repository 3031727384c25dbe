/*
 * What the library tells halfclose-drain with a socket that it hands over: one
 * message on a connection of its own, the socket in its SCM_RIGHTS part. There
 * is no answer: once the message is sent, the socket is the drain's. (Those that
 * an exec will end share a connection: see HC_DRAIN_HELD.)
 *
 * The drain listens on the abstract unix address that HC_DRAIN_ADDRESS and the
 * user's id make, and a number that is 0 unless a name is taken by another user, in the program's network namespace; its version is in the
 * name, so that another version's drain is another drain. Abstract names can be
 * taken by anyone: the library asks for SO_PEERCRED before it sends, the drain
 * before it takes.
 */
#ifndef HALFCLOSE_DRAIN_H
#define HALFCLOSE_DRAIN_H

#include <halfclose/recording.h>

#include <stdbool.h>

#define HC_DRAIN_ADDRESS "halfclose-drain-2/"

enum { HC_DRAIN_BACKLOG = 4096, HC_DRAIN_NAMES = 8 };

struct hc_drain_message {
	uint64_t quiet, time;   /* ns */
	uint64_t bytes;         /* how many may still be read */
	uint64_t since;         /* CLOCK_MONOTONIC, ns: when the program ended it */
	uint64_t drained;       /* bytes that the program's side read already */
	uint64_t unacked;       /* bytes then not acknowledged; ~0: not known */
	struct hc_socket socket;
	uint32_t pid, tid;      /* of the program's event */
	uint32_t path_size;     /* of the recording's path, which follows; 0: none */
	uint32_t flags;         /* HC_DRAIN_* */
	uint32_t reserved[2];
};
/* Between a program and a drain of another word size, too: no padding. */
_Static_assert(sizeof(struct hc_drain_message) == 96, "what goes over the socket");

enum {
	/* The program has the socket still, and its exec will end that: only when
	 * the connection ends is it the drain's, and to be shut down. One byte
	 * instead: the exec failed, and the socket is the program's. */
	HC_DRAIN_HELD = 1 << 0,
	/* A thread of the program may be asleep in a read on it, or in a poll: what
	 * comes is that thread's first. */
	HC_DRAIN_YIELDS = 1 << 1,
};

enum {
	HC_DRAIN_PATH_MAX = 700,
	HC_DRAIN_YIELD_MS = 50,    /* how long a thread may take to wake up */
	HC_DRAIN_YIELDS_MOST = 20, /* times that long, while one is awake and has no processor */
};

/* Has any of what is unread now lain there since so much had been received? Then
 * nobody else reads. */
static inline bool hc_drain_is_left(uint64_t unread, uint64_t received_then, uint64_t received_now)
{
	return unread > received_now - received_then;
}

#endif

/*
 * halfclose-drain: one loop, one slot for each socket. What the rooms of it
 * share; none of it is the library's.
 */
#ifndef HALFCLOSE_DRAIN_ROOMS_H
#define HALFCLOSE_DRAIN_ROOMS_H

#include <halfclose/drain.h>

#include <stdbool.h>
#include <stdint.h>

/* ---- slots.c: the sockets, in the order of their deadlines and of their ages ---- */

enum { NO_SLOT = 0 };

struct slot {
	int fd;             /* -1: free */
	bool is_connection; /* a program that has not sent its socket yet, or holds what it sent */
	bool yields;        /* somebody else may be asleep in a read on it */
	bool waits;         /* something has come, and there is a moment to read it */
	uint8_t moments;    /* that there have been */
	uint32_t holder;    /* the connection whose end makes it ours, or NO_SLOT */
	uint32_t place;     /* in the heap of deadlines */
	uint32_t older, newer;
	uint32_t path;      /* of the recording: see log.h */
	uint32_t pid, tid;  /* as the program knows itself */
	uint32_t host;      /* its process as we know it; 0: not at all */
	uint64_t deadline;  /* when it is looked at though nothing comes */
	uint64_t since, end, quiet; /* ns */
	uint64_t bytes;     /* that may still be read */
	uint64_t drained;
	uint64_t unacked;   /* when the program closed it; ~0: not known */
	uint64_t acked;     /* when it was looked at last */
	uint64_t received;  /* when something had come last */
	struct hc_socket socket;
};

/* Room for so many. False: no memory. */
bool slots_init(uint32_t most);

/* They are somebody else's: there are none. */
void slots_forget(void);

/* A slot of its own, with the deadline given; NO_SLOT where there is none left. */
uint32_t slot_take(int fd, uint64_t deadline);
void slot_give(uint32_t slot);
struct slot *slot_of(uint32_t slot);
void slot_set_deadline(uint32_t slot, uint64_t deadline);

uint32_t slots_used(void);
uint32_t slot_next_due(void); /* the one with the earliest deadline, or NO_SLOT */
uint32_t slot_oldest(void);
uint32_t slot_newer(uint32_t slot);

/* ---- sockets.c: what is done with them ---- */

void sockets_init(int epoll);

/* Watches the socket that a message brought; owns `fd` from here on. */
void socket_begin(int fd, uint32_t host, const struct hc_drain_message *message, const char *path);
/* From here on none may be watched for longer than until then. */
void sockets_end_by(uint64_t end);
void socket_readable(uint32_t slot, uint32_t events);

/* The same for one that is the program's until its connection `holder` ends. */
void socket_hold(uint32_t holder, int fd, const struct hc_drain_message *message, const char *path);
void sockets_release(uint32_t holder, bool cancelled);
void socket_due(uint32_t slot, uint64_t now);
void socket_end(uint32_t slot, enum hc_result result);

/* ---- listener.c: where programs find us ---- */

/* One of our own. Where one runs already it says so and exits; quiet: exits. */
int own_listener(bool quiet);
bool is_listener(int fd);

/* ---- host.c: who handed them over ---- */

/* May a thread of that process have been woken up and not have run since? False
 * also where it can't be told. */
bool host_is_on_its_way(uint32_t pid);

/* ---- take.c: how they are handed over ---- */

void take_init(void);

/* Takes whatever waits at the listener, up to some and while there is room; false:
 * there is no more, or no more can come. */
bool take_connections(int epoll, int listener);
void take_message(uint32_t slot);

/* ---- log.c: the recordings of the programs ---- */

/* So many descriptors for them; from here on one that is cut short ends nobody. */
void log_init(uint32_t descriptors);
void log_forget(void); /* they are somebody else's, their descriptors too */
uint32_t log_open(const char *path); /* 0: none */
void log_close(uint32_t path);
void log_drain(const struct slot *slot, enum hc_result result, uint64_t unacked);

/* ---- workers.c: more sockets than one process may have descriptors ---- */

enum { MOST_WORKERS = 1024 };

/* Each process has so many slots, all together hold no more sockets than `most`.
 * Returns the descriptor that wakes the workers. */
int workers_init(int listener, uint32_t slots, uint64_t most);
bool is_worker(void);

/* Is this process full, and can it leave what it holds to a worker? */
bool worker_needed(void);

/* Leaves all slots to a new worker. True: it did, and needs a set of its own for
 * the listener. False: there was nothing to be had, or this is the worker now. */
bool worker_add(int epoll, int listener);
uint32_t workers_used(void);
void workers_reap(void);
void workers_stop(void);

/* Ends the oldest of all where there is no room for one more. */
void workers_keep_bound(void);

/* In a worker: ends what it was asked to; false: it is told to stop. */
bool worker_obey(void);

/* ---- sandbox.c ---- */

/* From here on no more is possible than the loop needs; `wake`: what may be
 * written to. */
void enter_sandbox(int wake);

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t now(void);

#endif

/*
 * This process as the library knows it. Written by the constructor and by the
 * fork handlers while no other thread of ours can run; the atomics by all.
 */
#ifndef HALFCLOSE_PROCESS_H
#define HALFCLOSE_PROCESS_H

#include "libc.h"

#include <halfclose/recording.h>

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

struct hc_host {
	bool on;        /* sockets are followed */
	bool recording; /* there is a recording to write into */
	pid_t pid;
	uint32_t number;          /* high half of the sock ids that it gives out */
	_Atomic bool sandboxed;   /* the program installed a filter: ask the kernel nothing */
	_Atomic uint32_t sockets; /* sock ids given out */
	_Atomic uint32_t epoch;   /* raised by every fork, spawn and exec */
	_Atomic uint32_t forking; /* forks and spawns under way */
	_Atomic uint32_t spawned; /* epoch of the last child that runs another program */
	char exe[256];            /* the program's path */
};

extern struct hc_host hc_self;

/* Is the caller in a vfork child, which runs in our memory, or in a child made
 * behind libc's back? Such a child changes nothing of ours and says nothing. */
static inline bool hc_is_guest(void)
{
	if (atomic_load_explicit(&hc_self.sandboxed, memory_order_relaxed))
		return false;
	int kept = errno;
	bool guest = hc_sys(SYS_getpid, 0, 0, 0, 0, 0) != hc_self.pid;
	errno = kept;
	return guest;
}

/* A child that will run another program is about to be made. Right in a vfork
 * child too: the parent must learn of it, and this is the memory it reads. */
static inline void hc_note_spawn(void)
{
	uint32_t epoch = atomic_fetch_add(&hc_self.epoch, 1) + 1;
	atomic_store(&hc_self.spawned, epoch);
}

/*
 * One call of the program may come by our hooks twice: behind ours, another
 * library's may be made of functions that we intercept, too. What it did is told
 * by the one that is nearest to the kernel: hc_ask() before the real call, and
 * after it nothing where !hc_tell(): it is told already. A signal handler's calls
 * in between concern other descriptors, or are told twice.
 */
extern __thread uint64_t hc_told __attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline void hc_ask(void)
{
	hc_told = 0;
}

static inline bool hc_tell(enum hc_event what, uint32_t which)
{
	uint64_t told = (uint64_t)(what + 1) << 32 | which;
	bool first = hc_told != told;
	hc_told = told;
	return first;
}

static inline uint64_t hc_new_sock(void)
{
	return (uint64_t)hc_self.number << 32 |
	       (atomic_fetch_add_explicit(&hc_self.sockets, 1, memory_order_relaxed) + 1);
}

static inline uint64_t hc_now(void)
{
	struct timespec t = { 0 };
	int kept = errno;
	clock_gettime(CLOCK_MONOTONIC, &t);
	errno = kept;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The calling thread's id; 0xffffffff where the kernel may not be asked. */
uint32_t hc_tid(void);
void hc_tid_forget(void); /* in a forked child */

#endif

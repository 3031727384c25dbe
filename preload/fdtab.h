/*
 * Descriptor -> socket. One entry for each number that the process can have, in
 * blocks that come into being when the first of their numbers is followed.
 *
 * An entry belongs to whoever owns the descriptor's number: after a birth it is
 * filled by the thread that got the number and published by storing `word`;
 * before an end, hc_fd_claim() takes it by one atomic exchange, so that of two
 * threads that close the same number only one judges. Nothing else locks, so
 * all of this may run in a signal handler. A forked child has its own copy.
 *
 * Others may look at an entry at any time, and it may become another socket's
 * while they do: hc_fd_read() gives them one whole entry or none.
 */
#ifndef HALFCLOSE_FDTAB_H
#define HALFCLOSE_FDTAB_H

#include "process.h"

#include <halfclose/recording.h>

enum {
	HC_FD_TCP = 1 << 0,
	HC_FD_UNIX = 1 << 1,
	HC_FD_INET6 = 1 << 2,     /* of a TCP socket */
	HC_FD_MPTCP = 1 << 3,     /* of a TCP socket */
	HC_FD_LISTENER = 1 << 4,
	HC_FD_ONE_ADDRESS = 1 << 5, /* a listener whose address was recorded and is no wildcard */
	HC_FD_CONNECTED = 1 << 6,
	HC_FD_ACCEPTED = 1 << 7,
	HC_FD_LINGER0 = 1 << 8,
	HC_FD_COPIED = 1 << 9,    /* duplicated in this process: holders.c counts */
	HC_FD_LINGERS = 1 << 11,  /* SO_LINGER with a time: close may block, and be cancelled */
	HC_FD_SHUT_LATER = 1 << 13, /* of a SHUT_RDWR, the receiving side is put off to the close */
	HC_FD_POLLED = 1 << 12,   /* this number is in an epoll set */
	HC_FD_POLLED_MORE = 1 << 14, /* … or was in several: how many it left is not counted */
	HC_FD_OUTSIDE = 1 << 10,  /* came in from, or went out to, holders that we can't count */
};

struct hc_fd {
	_Atomic uint32_t word; /* HC_FD_*; 0: not followed */
	_Atomic uint32_t epoch; /* hc_self.epoch at birth */
	_Atomic uint64_t sock;  /* no two entries have the same but for duplicates */
	_Atomic uint64_t born;  /* ns */
	_Atomic uint64_t cookie; /* ~0: not asked for */
};
_Static_assert(sizeof(struct hc_fd) == 32, "half of what a descriptor may cost");

enum {
	HC_FDTAB_BLOCK = 2048, /* entries: 64 KiB of them */
	HC_FDTAB_BLOCKS = 4096,
	HC_FDTAB_SIZE = HC_FDTAB_BLOCK * HC_FDTAB_BLOCKS, /* higher numbers are not followed */
};

struct hc_fdtab {
	_Atomic(struct hc_fd *) blocks[HC_FDTAB_BLOCKS];
};

extern struct hc_fdtab hc_fdtab __attribute__((visibility("hidden")));

/* From here on sockets are followed; hc_fdtab_close(): no more, nor those that are
 * in the table. */
void hc_fdtab_init(void);
void hc_fdtab_close(void);

/* The entry of a number, or NULL where none of its block was ever followed. */
static inline struct hc_fd *hc_fd(int fd)
{
	if (unlikely((unsigned)fd >= HC_FDTAB_SIZE))
		return NULL;
	struct hc_fd *block = atomic_load_explicit(&hc_fdtab.blocks[(unsigned)fd / HC_FDTAB_BLOCK], memory_order_acquire);
	return likely(block) ? &block[(unsigned)fd % HC_FDTAB_BLOCK] : NULL;
}

static inline uint32_t hc_fd_word(int fd)
{
	struct hc_fd *entry = hc_fd(fd);
	return entry ? atomic_load_explicit(&entry->word, memory_order_acquire) : 0;
}

/* A number that was just born as something else: forget what it may have been. */
static inline void hc_fd_forget(int fd)
{
	if (unlikely(hc_fd_word(fd)))
		atomic_store_explicit(&hc_fd(fd)->word, 0, memory_order_relaxed);
}

/* Adds flags to what is followed, and to nothing else: another thread may end it at
 * this moment, and no flag must outlive it. Returns the word as it was; 0: none. */
static inline uint32_t hc_fd_mark(int fd, uint32_t flags)
{
	struct hc_fd *entry = hc_fd(fd);
	uint32_t word = entry ? atomic_load_explicit(&entry->word, memory_order_relaxed) : 0;
	while (word && !atomic_compare_exchange_weak(&entry->word, &word, word | flags))
		;
	return word;
}

/* Fills and publishes the entry of a new descriptor of a new socket. Returns
 * it, or NULL where the number is outside the table. */
struct hc_fd *hc_fd_fill(int fd, uint32_t word, uint64_t sock, uint64_t born);

/* Makes `to` another descriptor of the socket of `from`. */
void hc_fd_copy(int from, int to);

/* Takes the entry; *copy is what it was. False: not followed, or another
 * thread was first. */
bool hc_fd_claim(int fd, struct hc_fd *copy);

/* *copy is what the entry is now. False: not followed, or not the same for the
 * time that it takes to read it. */
bool hc_fd_read(int fd, struct hc_fd *copy);

/* The call that was to end the descriptor failed: it is as it was. */
void hc_fd_restore(int fd, const struct hc_fd *copy);

/* The first followed number >= from, or -1. */
int hc_fd_next(int from);

/* The part that every socket event has in common. */
void hc_record_socket(struct hc_socket *into, int fd, const struct hc_fd *entry);

/* The flags that an entry of such a socket starts with; 0: not followed. */
uint32_t hc_kind(int domain, int type, int protocol, bool want_unix);

#endif

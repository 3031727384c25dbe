/*
 * The parts of the recording's file that are mapped. What is written moves on
 * through the file and the views with it, so that a recording of any size takes
 * a few hundred KiB of address space. A view stays mapped while somebody writes
 * in it. No descriptor is needed: what is mapped shared can be mapped once more.
 *
 * Lock-free and safe in signal handlers. Every take is given back; a thread that
 * dies in between leaves its view mapped, no more. errno is the caller's to keep.
 */
#ifndef HALFCLOSE_VIEWS_H
#define HALFCLOSE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is made writable at a time: no call stalls. */
#define HC_PIECE (64u * 1024u)

/* Makes ready to map parts of the first `size` bytes of the file (a multiple of
 * HC_PIECE); `allocated`: all of them have their place on the disk. Returns how
 * many of them can be written, which is all or, where the kernel can't map a
 * mapping again, the first few MiB; 0: none. */
uint64_t hc_views_init(int fd, uint64_t size, bool allocated);

/* The bytes [at, at + size) of the file, where a store can't raise SIGBUS, not
 * even on a full disk; or NULL: `*over` tells whether to ask again is useless. */
void *hc_view_take(uint64_t at, size_t size, bool *over);

/* Where in the file an address of a taken view lies. */
uint64_t hc_view_offset(const void *address);

/* Gives back what hc_view_take() returned. */
void hc_view_give(const void *address);

/* In a forked child: its parent's other threads write in no view of its own,
 * and nothing is known to be writable any more. */
void hc_views_child(void);

/* Makes [at, at + size) writable for a time when the kernel can't be asked. */
void hc_views_stock_up(uint64_t at, size_t size);

#endif

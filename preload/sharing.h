/*
 * May a socket of this process be somebody else's, too? By what the table and the
 * family's counts say; the kernel is asked for flags of descriptors, no more.
 */
#ifndef HALFCLOSE_SHARING_H
#define HALFCLOSE_SHARING_H

#include "fdtab.h"
#include "text.h"

/* False: nothing happened since its birth by which another could hold it. Looks at
 * memory alone. */
static inline bool hc_possibly_shared(const struct hc_fd *entry, uint32_t word)
{
	return word & (HC_FD_COPIED | HC_FD_OUTSIDE) ||
	       entry->epoch != atomic_load_explicit(&hc_self.epoch, memory_order_relaxed) ||
	       atomic_load_explicit(&hc_self.forking, memory_order_relaxed);
}

/* Did it, since its birth, go to a program whose descriptors nobody counts? */
bool hc_went_outside(int fd, const struct hc_fd *entry, uint32_t word);

/* Is this descriptor, for certain, the only one of its socket anywhere? */
bool hc_is_only(int fd);

/* Which of the sockets that an exec leaves open does this process hold alone? They
 * are added to the word for the next program. False: none. */
bool hc_only_after_exec(struct hc_text *tail);

#endif

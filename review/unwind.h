/* The callers of a thread, by libunwind, from a copy of its registers and stack. */
#ifndef REVIEW_UNWIND_H
#define REVIEW_UNWIND_H

#include <glib.h>

#include "stopped.h"

#define UNWIND_MOST 256u

struct unwinder;

struct unwinder *unwinder_new(pid_t pid);
void unwinder_free(struct unwinder *unwinder);

/* Appends addresses (uint64_t), innermost first; each such that the one before it lies in
 * the call or instruction that it stands for. */
void unwinder_walk(struct unwinder *unwinder, const struct stopped *stopped, GArray *addresses);

#endif

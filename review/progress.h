/*
 * How far a long piece of work has come: one line on standard error, where that is a
 * terminal; from the second second on, overwritten in place, and gone at the end.
 */
#ifndef REVIEW_PROGRESS_H
#define REVIEW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	bool on;
	uint64_t next; /* when to show it (again): g_get_monotonic_time() */
};

extern int64_t progress_delay; /* us; tests wait less */

/* out: what the work writes to while it is under way, NULL: nothing. Where that is
 * a terminal, too, it shows by itself how it goes on. */
void progress_begin(struct progress *progress, FILE *out);

/* Call it now and then; it costs a look at the clock. */
void progress_show(struct progress *progress, uint64_t done, uint64_t all);
void progress_end(struct progress *progress);

#endif

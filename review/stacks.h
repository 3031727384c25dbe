/*
 * A recorded stack -> the call site that it stands for. The events of a busy program
 * have few different stacks: each is looked up once, and kept.
 */
#ifndef REVIEW_STACKS_H
#define REVIEW_STACKS_H

#include "symbols.h"

struct site {
	GArray *frames; /* of struct frame: all of them, but the library's own */
	GArray *folded; /* the same by site_fold() */
	char *place;    /* by site_place(); NULL: no stack was recorded */
	char *key;      /* by site_key() */
};

#define STACKS_KEPT 16384u /* code that is made at run time can have any number of them */

struct stacks;

struct stacks *stacks_new(void);
void stacks_free(struct stacks *stacks);

/* Never NULL; valid until the next call. */
const struct site *stacks_site(struct stacks *stacks, const struct processes *processes, const struct event *event);

/* How many are remembered: at most STACKS_KEPT. */
unsigned stacks_kept(const struct stacks *stacks);

#endif

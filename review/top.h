/* What happens in a recording at this moment, and what has happened so far: counted. */
#ifndef REVIEW_TOP_H
#define REVIEW_TOP_H

#include <glib.h>

#include "connections.h"
#include "rules.h"
#include "stacks.h"

#define TOP_SECONDS 64u /* that are remembered one by one */

struct top_second {
	uint64_t second; /* of the order; another's are stale */
	unsigned born, abrupt;
};

struct top_program {
	const char *name; /* interned; "" is not known */
	uint64_t born, abrupt, bytes;
	uint64_t open, draining; /* now */
};

struct top_site {
	const struct rule *rule;
	const char *program; /* interned */
	char *place;         /* owned */
	uint64_t count, bytes;
};

struct top {
	uint64_t first, last; /* order of events; 0: none yet */
	uint64_t born, abrupt;
	uint64_t lost, unread; /* bytes: written and thrown away, or sent and never taken; never read */
	uint64_t drains, saved;
	uint64_t open, half_closed, draining; /* now */
	struct top_second seconds[TOP_SECONDS];
	GPtrArray *programs; /* of struct top_program *, owned; worst first after top_look() */
	GPtrArray *sites;    /* of struct top_site *, likewise */

	struct processes *processes;
	struct connections *connections;

	/* private */
	GHashTable *by_program, *by_site;
	struct stacks *stacks;
};

struct top *top_new(void);
void top_free(struct top *top);

void top_event(struct top *top, const struct event *event);
/* All events up to a moment were given: counts what is so now. */
void top_look(struct top *top);

/* Of a second of the order; zeros where nothing is known of it. */
struct top_second top_second_of(const struct top *top, uint64_t second);

#endif

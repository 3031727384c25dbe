/*
 * Connections counted by program, service, peer and kind of end: what the page's
 * filters choose from. Memory is bounded: where there are too many, values that are
 * rare become one (peers first the network that they are in).
 */
#ifndef REVIEW_CELLS_H
#define REVIEW_CELLS_H

#include <glib.h>

#include "findings.h"
#include "groups.h"
#include "track.h"

/* A kind of end: a teardown, or this one, of listeners (which are no connections). */
#define KIND_BACKLOG TEARDOWNS
#define KINDS (TEARDOWNS + 1)

enum measure { MEASURE_UNREAD, MEASURE_UNACKED, MEASURE_HALF_CLOSED, MEASURE_DRAIN, MEASURES };
#define BUCKETS 65 /* by the number of bits: 0, 1, 2-3, 4-7, … */

struct tally {
	uint64_t count, bytes;
};

struct cell {
	struct group *at[AXES]; /* the peer NULL: a lane, which has a track and nothing else */
	unsigned kind;
	uint64_t count, unread, unacked, time_wait; /* as in the report */
	uint32_t measures[MEASURES][BUCKETS];
	GHashTable *findings; /* struct finding * -> struct tally *; NULL: none */
	struct track *track;
};

struct cells {
	GHashTable *cells; /* a set of struct cell, owned */
	struct groups groups;
	GPtrArray *sorted[AXES]; /* after cells_sort(): of struct group * */
	struct clock clock;      /* of the tracks */
	unsigned lanes;          /* private */
};

extern unsigned cells_limit, cells_lanes; /* tests have smaller ones */

struct cells *cells_new(void);
void cells_free(struct cells *cells);

/* Time counts from `first`, the order of the recording's first event. */
void cells_add(struct cells *cells, const struct connection *connection, bool time_wait, uint64_t first);
void cells_found(struct cells *cells, const struct finding *finding, const struct connection *connection,
                 uint64_t bytes);

/* At most so many, from then on. */
void cells_shrink(struct cells *cells, unsigned limit);
/* Numbers the groups. */
void cells_sort(struct cells *cells);

/* The values of a connection, to be kept: they stay valid, and follow what becomes of them. */
void cells_groups(struct cells *cells, const struct connection *connection, struct group *groups[AXES]);

unsigned kind_of(const struct connection *connection);

#endif

/*
 * How many connections were open, half-closed or draining, over time: what came into
 * a phase and what left it, in bins. A bin becomes wider when the time grows.
 */
#ifndef REVIEW_TRACK_H
#define REVIEW_TRACK_H

#include "connections.h"

#define TRACK_BINS 1024u

enum phase { PHASE_OPEN, PHASE_HALF_CLOSED, PHASE_DRAINING, PHASES };

struct clock {
	uint64_t first; /* order of the first bin's beginning; 0: not yet known */
	uint64_t unit;  /* ns in a bin */
};

struct track {
	uint32_t in[PHASES][TRACK_BINS], out[PHASES][TRACK_BINS];
};

/* How often the bins must be halved so that `order` has one; the clock is set to it. */
unsigned clock_reach(struct clock *clock, uint64_t order);
void track_halve(struct track *track);
void track_add(struct track *track, const struct clock *clock, const struct connection *connection);
void track_merge(struct track *into, const struct track *from);
/* The latest order of a connection's life. */
uint64_t track_end(const struct connection *connection);

#endif

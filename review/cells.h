/*
 * Connections counted by program, service, peer and kind of end: what the page's
 * filters choose from. Memory is bounded: where there are too many, values that are
 * rare become one (peers first the network that they are in).
 */
#ifndef REVIEW_CELLS_H
#define REVIEW_CELLS_H

#include <glib.h>

#include "findings.h"
#include "track.h"

enum axis { AXIS_PROGRAM, AXIS_SERVICE, AXIS_PEER, AXES };

/* A value of an axis. */
struct group {
	char *name; /* what the page calls it; owned */
	enum axis axis;
	uint64_t count;     /* connections */
	unsigned port;      /* a service's; 0: none */
	bool connecting;    /* a service's: the port is the peer's */
	bool many;          /* several values that became one */
	unsigned number;    /* among those of its axis, the most frequent first; see cells_sort() */
	struct group *into; /* private: what it became part of */
	unsigned references;
	uint8_t family, bits, ip[16]; /* private: a peer's network */
};

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
	GHashTable *cells;         /* a set of struct cell, owned */
	GHashTable *groups[AXES];  /* key -> struct group, owned */
	GPtrArray *sorted[AXES];   /* after cells_sort(): of struct group * */
	struct clock clock;        /* of the tracks */
	unsigned lanes;            /* private */
	unsigned level;            /* private: how far peers are thrown together */
	bool closed[AXES];         /* private: has this axis been thrown together? */
};

extern unsigned cells_limit, cells_lanes; /* tests have smaller ones */

struct cells *cells_new(void);
void cells_free(struct cells *cells);

/* Until then its orders count from `first`. */
void cells_add(struct cells *cells, const struct connection *connection, bool time_wait, uint64_t first);
void cells_found(struct cells *cells, const struct finding *finding, const struct connection *connection,
                 uint64_t bytes);

/* At most so many, from then on. */
void cells_shrink(struct cells *cells, unsigned limit);
/* Numbers the groups. */
void cells_sort(struct cells *cells);

/* The values of a connection, to be kept: they stay valid, and follow what becomes of them. */
void cells_groups(struct cells *cells, const struct connection *connection, struct group *groups[AXES]);
const struct group *group_now(const struct group *group);
void group_release(struct group *group);

unsigned kind_of(const struct connection *connection);

#endif

/*
 * The programs, services and peers of connections, by name. Where they are too many,
 * the rare ones become one; peers first the network that they are in.
 */
#ifndef REVIEW_GROUPS_H
#define REVIEW_GROUPS_H

#include "connections.h"

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

struct groups {
	GHashTable *of[AXES]; /* key -> struct group, owned */
	bool closed[AXES];    /* has this axis been folded? Then it takes no new names */
	unsigned level;       /* how far peers are thrown together */
};

void groups_init(struct groups *groups);
void groups_clear(struct groups *groups);

/* Those of a connection; made, where they are new. */
void groups_find(struct groups *groups, const struct connection *connection, struct group *found[AXES]);

/* All but so many become one. Who has the others takes group_now() of them, before
 * they are forgotten. */
void groups_fold(struct groups *groups, enum axis axis, unsigned kept);
void groups_forget_folded(struct groups *groups, enum axis axis);

/* The most frequent first; freed by the caller. */
GPtrArray *groups_sorted(const struct groups *groups, enum axis axis);

struct group *group_now(struct group *group);
void group_release(struct group *group);

#endif

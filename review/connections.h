/*
 * Events of many processes -> sockets -> connections -> conversations.
 *
 * Memory follows the sockets that are open or drained. One that is over is kept a
 * little longer (CONNECTIONS_KEPT of them): its other end, or a second close that raced
 * with the first, may be recorded late. Then it is judged, passed on and freed.
 */
#ifndef REVIEW_CONNECTIONS_H
#define REVIEW_CONNECTIONS_H

#include <glib.h>

#include "events.h"
#include "pending.h"
#include "processes.h"
#include "teardown.h"

#define CONNECTIONS_KEPT 4096u

/* What the end of a graceful close said. */
struct drain {
	uint64_t at;             /* order; 0: not (yet) recorded */
	uint64_t us;             /* how long it took */
	uint64_t drained;        /* bytes, read and discarded */
	uint64_t unacked, saved; /* bytes, as in the event; ~0: not known */
	enum hc_result result;
};

struct connection {
	unsigned number; /* names one socket over all the files: `sock` in the output */
	unsigned boot;
	uint64_t cookie; /* ~0: not known */
	uint16_t family;
	uint32_t pid;                  /* the last known holder; 0: not known */
	int fd;                        /* its descriptor there */
	struct hc_address local, peer; /* family 0: not known */
	char *local_path, *peer_path;  /* unix; NULL: not known; owned */

	bool accepted, connected, connecting, adopted, listener;
	bool was_established;
	bool shut, shut_both; /* sending was ended by shutdown; by one of both directions */
	bool shut_both_early; /* … while the peer could still send */
	uint8_t shut_state;
	struct event *birth; /* the one that brought it, where that has a stack; NULL: none; owned */
	struct event *close; /* the one that ended it; NULL: open; owned */
	const char *program; /* that closed it, or holds it; interned */
	uint64_t born;       /* struct event's order of the first event about it */
	uint64_t asked_at;   /* order when connect was called; 0: not known */
	uint64_t shut_at;    /* order of the shutdown that ended its sending; 0: none */
	struct drain drain;  /* after a close whose outcome is a drain */

	enum teardown teardown;   /* valid once it is passed on */
	struct connection *other; /* the recorded other end; NULL: none */

	/* private */
	struct socket_name *names;
	struct connection *newer, *older; /* while more is expected of it */
	bool over;                        /* nothing more is, but what was recorded late */
	bool ripe;
	bool in_ends; /* it lies in by_ends */
	bool passed;  /* by connections_ended() */
};

extern unsigned connections_kept; /* CONNECTIONS_KEPT; tests have fewer */

typedef void connection_judged(struct connection *connection, void *data);

struct connections {
	/* counted as they come; a void or repeated close is put right */
	uint64_t closes;
	uint64_t outcomes[HC_OUTCOMES];

	/* private */
	connection_judged *judged;
	void *data;
	const struct processes *processes;
	unsigned last_number;
	GHashTable *by_name, *by_cookie, *by_ends;
	struct pending *pending;
	GQueue *over;
	struct connection *open; /* all that are not over, a list: the open and the draining ones */
};

/* `judged` gets each connection once (listeners and sockets that never were one
 * as well: see connection_is_one), an end together with its other end. */
struct connections *connections_new(const struct processes *processes, connection_judged *judged, void *data);

/* The socket that an event is about, NULL where it is about none; valid until the next call. */
struct connection *connections_event(struct connections *connections, const struct event *event);

/* Those that are open or draining at this moment; and those that have ended since the
 * last call. `judged` may get one that no call has passed on: ->passed says so. What is
 * known of an end may still change: see CONNECTIONS_KEPT. */
void connections_open(const struct connections *connections, connection_judged *visit, void *data);
void connections_ended(struct connections *connections, connection_judged *visit, void *data);

/* What a sock of the event's file is called in the output; 0: not known. */
unsigned connections_number(const struct connections *connections, const struct recording *recording, uint64_t sock);

/* The recording is over: all that is left is judged. */
void connections_finish(struct connections *connections);
void connections_free(struct connections *connections);

/* A copy that outlives the original, its other end with it; it has no place in the
 * tables. Events are copied, recordings and interned text are not. */
struct connection *connection_copy(const struct connection *connection);
void connection_copy_free(struct connection *copy); /* NULL: nothing */

/* Was it ever a connection between two ends? */
bool connection_is_one(const struct connection *connection);
char *connection_local(const struct connection *connection); /* new text, NULL: not known */
char *connection_peer(const struct connection *connection);

#endif

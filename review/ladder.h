/*
 * A connection as a ladder (sequence) diagram: both ends, top to bottom in the order
 * of time, with the TCP states of RFC 9293 beside each line. Pure: a judged connection
 * in, steps out; the terminal and the page draw the same ones.
 */
#ifndef REVIEW_LADDER_H
#define REVIEW_LADDER_H

#include "connections.h"

enum ladder_end { LADDER_TRACED, LADDER_PEER, LADDER_ENDS };
enum ladder_arrow { LADDER_NO_ARROW, LADDER_TO_PEER, LADDER_TO_TRACED };

struct ladder_step {
	uint64_t order;              /* when; 0: not recorded, inferred from what was */
	bool supposed;               /* not even that: what follows where the other end ends well */
	enum ladder_end end;         /* whose call it is */
	char *call;                  /* "close(7)", "shutdown(SHUT_WR)"; NULL: the wire alone */
	enum ladder_arrow arrow;     /* what crosses the wire */
	char *wire;                  /* "SYN", "data, 183 bytes", "FIN", "RST"; NULL: nothing */
	bool lost;                   /* it crosses, but the other program never gets it */
	uint8_t states[LADDER_ENDS]; /* enum hc_state after the step; a unix socket's are unknown */
	char *buffers[LADDER_ENDS];  /* "10 bytes unread"; NULL: nothing to say */
	bool alarming;               /* what the finding is about: draw it in red */
};

struct ladder {
	char *names[LADDER_ENDS];     /* the program's, without its path; NULL: not recorded */
	char *addresses[LADDER_ENDS]; /* NULL: not known */
	enum ladder_end client;       /* which of them connected: drawn on the left */
	uint64_t born;                /* order of the first step that has one; 0: none has */
	GArray *steps;                /* of struct ladder_step */
};

/* As it was recorded. What the peer did is its own record where there is one, else what
 * follows from ours (order 0). Of data the sums alone are recorded, at the end: where it
 * stands is where it may have been at the latest, or most likely was. A listener's is
 * that of one connection in its queue. NULL: it never was a connection. Freed by
 * ladder_free(). */
struct ladder *ladder_of(const struct connection *connection);

/* The same connection with a graceful end: half-close, drain, close. NULL where its
 * end was graceful, or where nothing could have been better. */
struct ladder *ladder_cured(const struct connection *connection);

void ladder_free(struct ladder *ladder); /* NULL: nothing */

#endif

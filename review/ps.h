/* What `halfclose ps` found, and how it is told. */
#ifndef REVIEW_PS_H
#define REVIEW_PS_H

#include <stdio.h>

#include "json.h"
#include "opened.h"
#include "target.h"
#include "threads.h"

/* A socket that the process holds, by one descriptor or several. */
struct ps_socket {
	const struct socket_now *now;
	struct socket_now *gone;             /* the same where the kernel no longer lists it: owned */
	GArray *fds;                         /* of int */
	const struct connection *connection; /* NULL: not in the recording */
	uint64_t age;                        /* ns; ~0: not known */
	char *time;                          /* when it was opened; NULL: not known */
	const char *by;                      /* "accepted", "connected", "received"; NULL: not known */
	char *place;                         /* where; NULL: not known */
	GArray *stack;                       /* of struct frame; NULL: not known */
};

struct ps {
	struct target *target;
	GHashTable *sockets; /* of the namespace */
	GPtrArray *list;     /* of struct ps_socket *: CLOSE-WAIT first, listeners last */
	const char *lacking; /* why it is not known where they were opened; NULL: it is */
	unsigned close_wait, listeners;
	GPtrArray *threads; /* of struct thread *; NULL: not asked for */
};

/* Takes target and sockets over; opened: NULL where there is no recording. */
struct ps *ps_of(struct target *target, GHashTable *sockets, struct opened *opened);
void ps_free(struct ps *ps);

void ps_text(const struct ps *ps, FILE *out, bool first); /* not the first: an empty line before it */
void ps_json(const struct ps *ps, struct json *json);     /* one object */

#endif

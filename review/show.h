/* One connection of a recording, or the worst of all: what `show` writes. */
#ifndef REVIEW_SHOW_H
#define REVIEW_SHOW_H

#include <stdio.h>

#include "ladder.h"
#include "rules.h"
#include "symbols.h"

/* What is said of one; all of it owned. */
struct shown {
	struct connection *connection; /* a copy, and its other end */
	GArray *site;                  /* of struct frame, folded; empty: no stack was recorded */
	char *place;                   /* what to call it; NULL: it was not closed */
	struct ladder *ladder;         /* NULL: it never was a connection */
	struct ladder *cured;          /* NULL: it was graceful */
};

/* How bad a connection's end was: of its findings the worst. */
struct harm {
	const struct rule *rule; /* NULL: none */
	uint64_t bytes;          /* that were lost */
};

struct worst {
	GPtrArray *list; /* of struct connection *, copies, the worst first */
	unsigned most;   /* how many are kept */
	uint64_t count;  /* how many there were */
};

struct harm show_harm(const struct connection *connection);

void show_one_text(const struct shown *shown, bool cured, FILE *out);
void show_one_json(const struct shown *shown, FILE *out);
void show_list_text(const struct worst *worst, FILE *out);
void show_list_json(const struct worst *worst, FILE *out);

#endif

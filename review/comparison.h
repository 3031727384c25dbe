/*
 * Two sets of recordings side by side: which findings are new, more or less frequent,
 * or gone. A call site is the same in both if its fingerprint is; its frequency is
 * how often it was found for each connection, since one recording may be the longer.
 */
#ifndef REVIEW_COMPARISON_H
#define REVIEW_COMPARISON_H

#include "report.h"

enum which { BEFORE, NOW, SIDES };

/* In the order in which they are told. */
enum change { CHANGE_new, CHANGE_worse, CHANGE_better, CHANGE_gone, CHANGE_same, CHANGES };

struct tally {
	char *fingerprint, *program, *place; /* place: that of the later side; owned */
	const char *rule;                    /* its id, interned */
	enum severity severity;
	struct {
		uint64_t count, bytes, unread;
	} sides[SIDES];
	enum change change;
};

struct comparison {
	struct {
		uint64_t processes, connections, unread_bytes, unacked_bytes, lost_events, damaged;
		uint64_t teardowns[TEARDOWNS];
	} sides[SIDES];
	uint64_t suppressed;        /* times; set by whoever has the suppressions */
	GPtrArray *list;            /* of struct tally *, owned; sorted by comparison_judge() */
	GHashTable *by_fingerprint; /* private */
};

struct comparison *comparison_new(void);
void comparison_free(struct comparison *comparison);

void comparison_add(struct comparison *comparison, enum which which, const struct report *report);

/* A report that was written as JSON. NULL: well; else what is wrong with it, new text. */
char *comparison_add_json(struct comparison *comparison, enum which which, const char *text, size_t size);

/* Sets what changed. A frequency is another where it differs by more than so much of
 * what it was. */
void comparison_judge(struct comparison *comparison, unsigned percent);

/* How many changed so, of those at least as severe. */
unsigned comparison_count(const struct comparison *comparison, enum change change, enum severity least);

/* Of each connection; where one side has none, the count itself. */
double comparison_rate(const struct comparison *comparison, const struct tally *tally, enum which which);

const char *change_name(enum change change);

#endif

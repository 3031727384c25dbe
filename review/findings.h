/* Findings of one kind, in one program, at one call site: counted together. */
#ifndef REVIEW_FINDINGS_H
#define REVIEW_FINDINGS_H

#include "rules.h"
#include "stacks.h"
#include "suppressions.h"

/* The case that is shown: the one that lost most. */
struct example {
	struct connection *connection; /* a copy, owned; NULL: none yet */
	uint64_t bytes;                /* that were lost */
};

/* What makes two findings one. */
struct finding_key {
	const struct rule *rule;
	const char *program; /* interned */
	uint8_t how;
	const char *site; /* struct site's key */
};

struct finding {
	struct finding_key key; /* private; its site is owned */
	const struct rule *rule;
	const char *program; /* interned */
	uint64_t count, bytes, unread, waiting;
	GArray *site; /* of struct frame, folded, owned; empty: no stack was recorded */
	char *place;  /* what to call it; owned */
	struct example example;
	char *fingerprint; /* see fingerprint.h; set when all are known; owned */
	unsigned ordinal;
};

struct findings {
	GPtrArray *list;     /* of struct finding *, owned */
	GHashTable *by_site; /* struct finding_key -> the finding that it is part of */
	struct stacks *stacks;
	const struct processes *processes; /* not owned */
	struct suppressions *suppressions; /* not owned; NULL: none */
	/* Called for each connection of a finding. NULL: nobody wants it */
	void (*found)(const struct finding *finding, const struct connection *connection, uint64_t bytes, void *data);
	void *found_data;
};

struct findings *findings_new(const struct processes *processes);
void findings_free(struct findings *findings);

/* Bytes that the recorded other end got; ~0: not recorded. */
uint64_t example_received(const struct example *example);

/* Judges a connection that has ended by all the rules. */
void findings_add(struct findings *findings, const struct connection *connection);

/* Most harmful first; gives them their fingerprints. */
void findings_sort(struct findings *findings);
unsigned findings_of(const struct findings *findings, enum severity severity);

#endif

/*
 * Recordings that grow, and files that are still to come, are moved away, replaced or
 * cut: what `log --follow` and `top` read. Until SIGINT, SIGTERM or SIGHUP, or until
 * nobody reads what is written.
 */
#ifndef REVIEW_FOLLOW_H
#define REVIEW_FOLLOW_H

#include <stdbool.h>

#include "timeline.h"

struct follow {
	struct timeline *timeline; /* owned */

	/* private */
	GArray *files; /* of struct followed: what is to be read, and where it is by now */
	void (*say)(const char *message, void *data);
	void *say_data;
};

/* Opens what is there; one that is to come is waited for. One that can't be read is
 * told on standard error and left out (timeline->problems). say: what becomes of the
 * files, one line each; NULL: on standard error. */
struct follow *follow_open(char *const *paths, void (*say)(const char *message, void *data), void *data);
void follow_free(struct follow *follow);

/* Is there anything to wait for? */
bool follow_any(const struct follow *follow);

/* Looks what became of the files, and reads on. */
void follow_refresh(struct follow *follow);

/* The order before which all has been recorded. */
uint64_t follow_settled(const struct follow *follow);

/* Waits a moment. False: it is over. out: the descriptor that is written to. */
bool follow_wait(int out, unsigned milliseconds);
bool follow_is_read(int out); /* or has its reader gone away? */

/* Lets SIGINT, SIGTERM and SIGHUP end the waiting, and nobody's reading be no death. */
void follow_signals(void);
bool follow_over(void); /* a signal came */

#endif

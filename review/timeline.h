/*
 * Several recordings as one sequence of events in the order of time. A file's
 * records lie nearly in that order: a window of bounded size puts them right.
 */
#ifndef REVIEW_TIMELINE_H
#define REVIEW_TIMELINE_H

#include <glib.h>

#include "progress.h"
#include "recording.h"

struct timeline {
	GPtrArray *recordings;  /* of struct recording *, owned */
	struct stream *streams; /* private: one for each */
	bool started;
	/* Called with each event when it is read, in the order of its file: a module
	 * stands before the stacks that need it there, but not in the order of time. */
	void (*early)(const struct event *event, void *data); /* NULL: nobody wants it */
	void *early_data;
	unsigned problems;        /* files that could not be read */
	struct progress progress; /* shown once it was begun, until the last event */
	unsigned since_shown;     /* private: events */
};

#define TIMELINE_WINDOW 1024u /* records of one file that can be out of order */

extern unsigned timeline_window; /* TIMELINE_WINDOW; tests have a smaller one */

/* Opens all files. One that can't be read is told on standard error and left out. */
struct timeline *timeline_open(char *const *paths);
void timeline_free(struct timeline *timeline);

/* The next event that is not later than `until`, owned by the caller; NULL: none. */
struct event *timeline_next(struct timeline *timeline, uint64_t until);

/* Takes a recording in, which it then owns. */
void timeline_add(struct timeline *timeline, struct recording *recording);

/* Says on standard error what of the files could not be read, by then. */
void timeline_tell_damage(const struct timeline *timeline);

/* For files that grow: see follow.h. */
void timeline_refresh(struct timeline *timeline);
/* The order of an event that would be recorded `ago` ns before this moment. */
uint64_t timeline_moment(const struct timeline *timeline, uint64_t ago);

#endif

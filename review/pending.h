/*
 * Closes by exec are recorded before the exec, which may fail: each waits for the
 * next word of its thread, and is void if that says so.
 */
#ifndef REVIEW_PENDING_H
#define REVIEW_PENDING_H

#include <glib.h>

#include "events.h"

struct pending {
	GQueue *closes;      /* private: of struct event *, owned */
	GHashTable *threads; /* private: how many closes wait for a word of each */
	void (*happened)(const struct event *close, void *data);
	void *data;
};

/* `happened` gets each close that stands, later than its place in the order of time. */
struct pending *pending_new(void (*happened)(const struct event *close, void *data), void *data);
void pending_free(struct pending *pending); /* what still waits is dropped */

void pending_add(struct pending *pending, const struct event *close);

/* To be told every event before anything else is made of it. */
void pending_event(struct pending *pending, const struct event *event);

/* Nothing more is recorded: what still waits has happened. */
void pending_finish(struct pending *pending);

#endif

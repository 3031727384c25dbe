/*
 * A recording's file, read as a stream in pieces of bounded size. Nothing in it
 * is trusted: it may be damaged, cut short, still growing, or made up.
 */
#ifndef REVIEW_RECORDING_H
#define REVIEW_RECORDING_H

#include <stdbool.h>

#include "events.h"

struct recording {
	char *path;
	unsigned index;        /* among the files read together */
	unsigned boot;         /* equal for files whose t can be compared */
	uint64_t order_offset; /* t + this = struct event's order */
	struct hc_header header;

	/* what could not be read, in slots of HC_SLOT_SIZE */
	uint64_t unwritten; /* taken by a writer and not filled: it was killed, or is still writing */
	uint64_t damaged;   /* hold something that is no record */
	uint64_t missing;   /* cut off at the end of the file */
	uint64_t unknown;   /* events (not slots) of a kind that this reader does not know */

	/* private */
	int fd;
	bool follow;
	uint64_t size;                       /* of the file, the largest that was seen */
	uint64_t slot, end;                  /* the next to read; one past the last that can be read */
	uint64_t trailing;                   /* of the unwritten: since the last record */
	uint64_t unfinished;                 /* up to this slot: what a killed writer left of its record */
	uint64_t hole, hole_end, hole_since; /* follow: a hole is given a while to be filled */
	unsigned char *buffer;
	uint64_t buffer_at; /* its place in the file */
	size_t buffer_used;
};

/* NULL: *problem says why in words, without the path; freed by g_free(). */
struct recording *recording_open(const char *path, char **problem);
void recording_free(struct recording *recording);

/* The next event in the order of the file, owned by the caller; NULL: no more
 * (for now, if it follows: call recording_refresh() and try again). */
struct event *recording_next(struct recording *recording);

/* Follow a file that grows: from now on wait for records, see recording_next(). */
void recording_follow(struct recording *recording);
void recording_refresh(struct recording *recording);

/* What became of the file by now, under the path by which it was opened. */
enum recording_fate {
	RECORDING_THERE,
	RECORDING_GONE,     /* deleted, or moved away; it can still be read */
	RECORDING_REPLACED, /* by another file; the same */
	RECORDING_CUT,      /* it is shorter than what was read of it */
	RECORDING_EMPTIED,  /* even its header is gone */
};
enum recording_fate recording_fate(const struct recording *recording);

/* Is there no recording yet at a path: no file, or one without its header? */
bool recording_is_to_come(const char *path);

uint64_t recording_lost(const struct recording *recording); /* events */
uint64_t recording_realtime(const struct recording *recording, uint64_t t);

#endif

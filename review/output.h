/* A file that is there whole or not at all. */
#ifndef REVIEW_OUTPUT_H
#define REVIEW_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	FILE *file;
	const char *path; /* not owned */
	char *temporary;  /* private: owned; NULL: it has no name yet, or is written in place */
	bool in_place;    /* private */
};

/* Until output_commit() nothing is seen under `path`, and what is there stays. What
 * is no regular file (a pipe, a terminal, /dev/stdout) is written in place. A
 * symbolic link stays one: the file that it points to is replaced.
 * False: it was told on standard error. */
bool output_open(struct output *output, const char *path);

/* Both close it. False: it was told on standard error, and nothing was left behind. */
bool output_commit(struct output *output);
void output_discard(struct output *output);

#endif

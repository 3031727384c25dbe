/* A few lines of a source file around one of them, where the file is there. */
#ifndef REVIEW_SOURCE_H
#define REVIEW_SOURCE_H

#include <glib.h>
#include <stdbool.h>

#include "symbols.h"

struct excerpt {
	char *path;       /* where it was found */
	unsigned first;   /* the number of the first line */
	GPtrArray *lines; /* of text as it stands there, without its end */
	bool newer;       /* the file was changed after the program was built, or the script ran: they may be others */
};

struct source_place {
	const char *root; /* where relative paths begin; NULL: not known */
	uint64_t ran;     /* when scripts were run, in ns since 1970 */
};

/* So many lines before and after the frame's. NULL: the file is not there. */
struct excerpt *source_excerpt(const struct frame *frame, const struct source_place *place, unsigned around);
void excerpt_free(struct excerpt *excerpt); /* NULL: nothing */

#endif

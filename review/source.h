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
	bool newer;       /* the file was changed after the program was built: the lines may be others */
};

/* So many lines before and after the frame's. A relative path is looked for below
 * `root` (NULL: none is known). NULL: the file is not there. */
struct excerpt *source_excerpt(const struct frame *frame, const char *root, unsigned around);
void excerpt_free(struct excerpt *excerpt); /* NULL: nothing */

#endif

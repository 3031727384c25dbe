/* Paths -> URI references (RFC 3986), as tools that show findings at their lines want them. Pure. */
#ifndef REVIEW_SOURCE_URI_H
#define REVIEW_SOURCE_URI_H

#include <stdbool.h>

/* New text. *below: it is relative to the root of the sources; else it is absolute
 * (file:///...). A relative path is taken to be below the root, wherever that is;
 * an absolute one if it begins with `root` (NULL: none is known). */
char *source_uri(const char *path, const char *root, bool *below);

/* The root itself: file:///.../ */
char *source_root_uri(const char *root);

#endif

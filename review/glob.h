/* Patterns for names: * stands for any text, also across slashes, ? for one
 * character, \ takes its meaning from the next. Pure. */
#ifndef REVIEW_GLOB_H
#define REVIEW_GLOB_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *text);

/* A path, or any end of it that begins behind a slash: "server.c", "src/server.c". */
bool glob_match_path(const char *pattern, const char *path);

/* New text: a pattern for this very text. What can't stand in a line is a *. */
char *glob_of(const char *text);

#endif

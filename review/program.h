/* A program before it is run: can the library be loaded into it? */
#ifndef REVIEW_PROGRAM_H
#define REVIEW_PROGRAM_H

#include <glib.h>

/* The path that execvp would run, freed by g_free(). NULL: *status is what a
 * shell exits with then (126, 127), *problem says why. */
char *program_find(const char *name, int *status, const char **problem);

/* Why the library can't be loaded into it, as words that follow "it is ...";
 * NULL: nothing is in the way. *who is the file that it is about: the program,
 * or the interpreter of a script. Both are freed by g_free(). */
char *program_obstacle(const char *path, const char *library, char **who);

/* libhalfclose.so's path, freed by g_free(); NULL: it was not found. */
char *program_library(void);

/* halfclose-drain's path, freed by g_free(); NULL: it is not beside this program. */
char *program_drain(void);

#endif

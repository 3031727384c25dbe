/* The Python callers of another process's threads, where it is a CPython whose memory is
 * known (halfclose/cpython.h). */
#ifndef REVIEW_PYTHON_H
#define REVIEW_PYTHON_H

#include "symbols.h"
#include "target.h"

struct python;

/* NULL: it has none of that version. */
struct python *python_of(const struct target *target);
void python_free(struct python *python); /* NULL: nothing */

/* Appends struct frame, innermost first; tid: as the process itself has it. The thread must be stopped meanwhile. */
void python_append(const struct python *python, pid_t tid, GArray *frames);

#endif

/* What the threads of a running process do at this moment. */
#ifndef REVIEW_THREADS_H
#define REVIEW_THREADS_H

#include "symbols.h"
#include "target.h"

struct thread {
	pid_t tid;
	char *name;
	char state;     /* as in /proc/PID/stat: R runs, S sleeps, ... */
	GArray *frames; /* of struct frame, innermost first; behind them the callers in a script */
	char *problem;  /* why there are none; NULL: there are */
};

/* Of struct thread *, owned; by number. Each is stopped by itself, see stopped.h.
 * *problem: why they may not be; NULL: they may; freed by g_free(). */
GPtrArray *threads_read(const struct target *target, struct symbols *symbols, char **problem);

#endif

/* A running process, as /proc shows it from outside: nothing of it is stopped or changed. */
#ifndef REVIEW_TARGET_H
#define REVIEW_TARGET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor that is a socket. */
struct held {
	int fd;
	uint64_t inode;
};

/* What lies where in its memory. */
struct mapping {
	uint64_t start, end, offset; /* offset: in the file */
	char *path;                  /* NULL: no file; owned */
	bool readable, writable, executable, shared, deleted;
};

struct target {
	pid_t pid;
	char *exe;         /* "" where it can't be known */
	bool traced;       /* libhalfclose.so is in it */
	bool told_to;      /* record: HALFCLOSE_LOG is in its environment */
	char *recording;   /* through which its recording can be opened; NULL: it can't, or there is none */
	char *called;      /* what the process calls that */
	GArray *held;      /* of struct held, by number */
	GPtrArray *memory; /* of struct mapping, by address */
};

/* NULL: *problem says why, in words that follow the process's number; freed by g_free(). */
struct target *target_open(pid_t pid, char **problem);
void target_free(struct target *target);

/* What a thread is called by itself: in a container it has another number than here. */
pid_t target_own_number(pid_t pid, pid_t tid);

/* What lies at an address; NULL: nothing. */
const struct mapping *target_at(const struct target *target, uint64_t address);

#endif

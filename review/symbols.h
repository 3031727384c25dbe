/*
 * Addresses -> functions, files and lines, by libdw. A module's file is used
 * only if it is the very file that was recorded (its build id says so). The
 * network is never asked, unless DEBUGINFOD_URLS tells libdw to.
 */
#ifndef REVIEW_SYMBOLS_H
#define REVIEW_SYMBOLS_H

#include <glib.h>

#include "events.h"
#include "processes.h"

#define STACK_MOST (HC_RECORD_MAX / sizeof(struct hc_frame)) /* frames of a record */

/* One function in a stack; inlined ones have a frame of their own. Texts are
 * interned: they live as long as the process. */
struct frame {
	const char *function; /* NULL: not known */
	const char *file;     /* as the compiler was told it; NULL: not known */
	unsigned line;        /* 0: not known */
	const char *module;   /* the path; NULL: in no file */
	uint64_t offset;      /* in the module */
	const char *language; /* of a script's function; NULL: machine code */
};

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols *symbols);

/* Appends the frames (struct frame) of one recorded address, innermost first:
 * at least one. module: NULL where none was recorded. */
void symbols_append(struct symbols *symbols, const struct module *module, uint64_t offset, GArray *frames);

/* The whole stack of an event: an array of struct frame, owned by the caller;
 * the library's own frames are left out. */
GArray *symbols_stack(struct symbols *symbols, const struct processes *processes, const struct event *event);

#endif

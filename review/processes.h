/* The programs and the modules that recordings speak of. */
#ifndef REVIEW_PROCESSES_H
#define REVIEW_PROCESSES_H

#include <glib.h>

#include "events.h"

/* A file that stack frames lie in, or a function of a script. Texts are interned by
 * GLib: they live as long as the process. */
struct module {
	const char *path;
	struct hc_build_id build_id;
	const char *language, *function; /* of a script, whose frames have lines for offsets; else NULL */
};

struct processes {
	unsigned count;       /* of processes seen */
	GHashTable *programs; /* (file, pid) -> struct program, owned */
	GHashTable *modules;  /* (file, id) -> struct module, owned */
};

struct processes *processes_new(void);
void processes_free(struct processes *processes);
/* Programs are to be told in the order of time, modules in that of the file. */
void processes_event(struct processes *processes, const struct event *event);
void processes_module_event(const struct event *event, void *processes); /* a timeline's `early` */

/* The program's path, which lives as long as the process; "" when not known. */
const char *processes_program(const struct processes *processes, const struct event *event);
/* A text of an event; a forked process has its parent's where the event leaves them out. NULL: not known. */
const char *processes_text(const struct processes *processes, const struct event *event, const struct field *field,
                           size_t *size);
const struct module *processes_module(const struct processes *processes, const struct recording *recording,
                                      uint64_t id);

#endif

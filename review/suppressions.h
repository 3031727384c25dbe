/*
 * What shall not be reported: files of rules, each one a paragraph.
 *
 *   # a comment
 *   [health checks of the load balancer]
 *   rule = linger-close
 *   peer = 10.0.0.0/8
 *   peer = 192.168.1.1
 *   function = close_at_once
 *   function = serve_*
 *
 * A finding of a connection is suppressed where all its keys hold. A key about the
 * connection (rule, program, how, port, peer) that is given twice means either. Those
 * about the stack (function, module, file) are found in it in their order, innermost
 * first, a script's behind its interpreter's; other frames may lie between. Names and
 * paths are patterns of glob.h.
 */
#ifndef REVIEW_SUPPRESSIONS_H
#define REVIEW_SUPPRESSIONS_H

#include "rules.h"

struct suppression {
	char *name;
	const char *path; /* interned */
	unsigned line;
	uint64_t used;      /* times */
	GArray *conditions; /* private */
};

struct suppressions {
	GPtrArray *list; /* of struct suppression *, owned, in the order of the files */
	uint64_t used;   /* times */
};

/* NULL: a file can't be read, or what it says can't be understood; it was told on
 * standard error. `paths` ends with NULL; NULL itself: no files. */
struct suppressions *suppressions_read(char *const *paths);
struct suppressions *suppressions_new(void);
bool suppressions_parse(struct suppressions *suppressions, const char *path, const char *text, size_t size);
void suppressions_free(struct suppressions *suppressions); /* NULL: nothing */

/* Is it suppressed? Then it is counted. `stack`: all frames, not folded. */
bool suppressions_match(struct suppressions *suppressions, const struct rule *rule, const struct connection *connection,
                        const GArray *stack);

/* None was used yet. */
void suppressions_reset(struct suppressions *suppressions);

/* Says on standard error which were of no use. */
void suppressions_tell_unused(const struct suppressions *suppressions);

#endif

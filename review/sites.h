/* A stack -> the place in the source that a person should look at. Pure. */
#ifndef REVIEW_SITES_H
#define REVIEW_SITES_H

#include "symbols.h"

#define SITE_KEY_FRAMES 3u /* a close is often wrapped: its callers belong to the call site */

/* Takes the C library's frames out, and folds an interpreter's into one: what
 * is left begins with the place to name first. Changes `frames` (struct frame). */
void site_fold(GArray *frames);

/* What a thread does: in the order of calls, and the C library's frames stay. Where there
 * is no script, nothing is changed. */
void site_interleave(GArray *frames);

/* New text: "function (file:line)", or what is known of it. For an empty stack
 * NULL. `site` has been folded. */
char *site_place(const GArray *site);

/* New text that is equal for equal call sites. */
char *site_key(const GArray *site);

/* New text that is equal for call sites in the same functions: no lines, and no
 * place of a function that has a name. */
char *site_identity(const GArray *site);

/* One frame: "function (file:line)", "function (module+0x12)", "module+0x12". */
char *site_frame(const struct frame *frame);

#endif

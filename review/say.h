/* Words for people: messages, and values in a form that is safe to print. */
#ifndef REVIEW_SAY_H
#define REVIEW_SAY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <halfclose/recording.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_WORSE = 3 };

/* One line on standard error, with the program's name before it. */
void complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The same, to be overwritten by the next of them, and gone before anything else is
 * said; only where standard error is a terminal. NULL: it goes away. */
void say_status(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The string nearest to `word` in a NULL-terminated list; NULL: none is near. */
const char *nearest(const char *word, const char *const *list);

const char *say_family(uint16_t family); /* "inet"; NULL: none that is known */

/* All of these return new text, freed by g_free(). */
char *say_text(const char *bytes, size_t size);                      /* valid UTF-8, control characters as \xNN */
char *say_count(uint64_t number);                                    /* 1,234,567 */
char *say_address(const struct hc_address *address);                 /* NULL: not known */
char *say_time(uint64_t realtime);                                   /* RFC 3339, ns, UTC */
char *say_build_id(const struct hc_build_id *id);                    /* hexadecimal; NULL: none */
char *say_error(uint64_t error);                                     /* an errno's name */
char *say_plural(uint64_t count, const char *one, const char *many); /* "1 byte", "2 bytes" */

#endif

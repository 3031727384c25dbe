/* Values as they are written -> as they lie in a record. One that can't be read ends it: die(). */
#ifndef TESTS_GOLDEN_VALUES_H
#define TESTS_GOLDEN_VALUES_H

#include <glib.h>

#include "events.h"

/* Says of which line; defined by who reads the lines. */
_Noreturn void die(const char *what, const char *word);

uint64_t value_number(const char *text);
uint64_t value_sock(const char *text); /* 1.7 -> process 1's socket 7 */

/* Into the field's place; what has no fixed size is added to the record's end. */
void value_set(GByteArray *record, const struct field *field, const char *text);

#endif

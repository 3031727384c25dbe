/* Is a text one JSON value (RFC 8259), and nothing else but space around it? */
#ifndef TESTS_IS_JSON_H
#define TESTS_IS_JSON_H

#include <stdbool.h>
#include <stddef.h>

bool is_json(const char *text, size_t size);

#endif

/* Reading JSON (RFC 8259) that was written by us, or by anybody: nothing in it is trusted. */
#ifndef REVIEW_JSON_READ_H
#define REVIEW_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_kind kind;
	char *name;                        /* in an object; owned */
	char *text;                        /* of a string, without NULs in it; owned */
	uint64_t number;                   /* of a number: what is below 0 is 0, fractions are cut off */
	struct json_value *members, *next; /* of an array or object, in their order; owned */
};

/* NULL: it is not one JSON value; *line is where it stops to be one. */
struct json_value *json_read(const char *text, size_t size, unsigned *line);
void json_value_free(struct json_value *value); /* NULL: nothing */

/* NULL where there is none of that kind; `object` may be NULL or of any kind. */
const struct json_value *json_member(const struct json_value *object, const char *name, enum json_kind kind);
const char *json_text_of(const struct json_value *object, const char *name);
uint64_t json_number_of(const struct json_value *object, const char *name); /* 0: none */

#endif

/* Writing JSON: the only place that knows its commas and escapes. */
#ifndef REVIEW_JSON_H
#define REVIEW_JSON_H

#include <glib.h>
#include <stdint.h>

struct json {
	GString *text;          /* owned by the caller */
	unsigned depth, indent; /* indent 0: all on one line */
	gboolean comma;         /* a value stands before the place */
};

/* `key` is NULL in an array and at the top. */
void json_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_array(struct json *json, const char *key);
void json_end_array(struct json *json);
void json_number(struct json *json, const char *key, uint64_t value);
void json_decimal(struct json *json, const char *key, uint64_t value, unsigned places); /* 1234, 3: 1.234 */
void json_bool(struct json *json, const char *key, gboolean value);
void json_bytes(struct json *json, const char *key, const char *bytes, size_t size);
void json_string(struct json *json, const char *key, const char *value); /* NULL: writes nothing */
void json_raw(struct json *json, const char *key, const char *value); /* is JSON already */

#endif

#include "json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void append_escaped(GString *text, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	g_string_append_c(text, '"');
	while (bytes < end) {
		const char *plain = bytes;
		gunichar c;

		while (bytes < end && is_plain((unsigned char)*bytes))
			bytes++;
		g_string_append_len(text, plain, bytes - plain);
		if (bytes == end)
			break;
		c = *bytes ? g_utf8_get_char_validated(bytes, end - bytes) : 0;
		if (c >= 0x110000) { /* not UTF-8 */
			g_string_append(text, "\xef\xbf\xbd");
			bytes++;
			continue;
		}
		if (c == '"' || c == '\\')
			g_string_append_printf(text, "\\%c", (char)c);
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			g_string_append_printf(text, "\\u%04x", c);
		else
			g_string_append_unichar(text, c);
		bytes = *bytes ? g_utf8_next_char(bytes) : bytes + 1;
	}
	g_string_append_c(text, '"');
}

static void new_line(struct json *json)
{
	if (!json->indent || json->depth == 0)
		return;
	g_string_append_c(json->text, '\n');
	for (unsigned i = 0; i < json->depth * json->indent; i++)
		g_string_append_c(json->text, ' ');
}

static void begin_value(struct json *json, const char *key)
{
	if (json->comma)
		g_string_append(json->text, json->indent ? "," : ", ");
	new_line(json);
	if (key) {
		append_escaped(json->text, key, strlen(key));
		g_string_append_len(json->text, ": ", 2);
	}
	json->comma = TRUE;
}

static void open_group(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	g_string_append_c(json->text, bracket);
	json->depth++;
	json->comma = FALSE;
}

static void close_group(struct json *json, char bracket)
{
	gboolean empty = !json->comma;

	json->depth--;
	if (!empty) {
		if (json->indent && json->depth == 0)
			g_string_append_c(json->text, '\n');
		new_line(json);
	}
	g_string_append_c(json->text, bracket);
	json->comma = TRUE;
}

void json_object(struct json *json, const char *key)
{
	open_group(json, key, '{');
}

void json_end_object(struct json *json)
{
	close_group(json, '}');
}

void json_array(struct json *json, const char *key)
{
	open_group(json, key, '[');
}

void json_end_array(struct json *json)
{
	close_group(json, ']');
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	char digits[20], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	begin_value(json, key);
	g_string_append_len(json->text, at, digits + sizeof(digits) - at);
}

void json_decimal(struct json *json, const char *key, uint64_t value, unsigned places)
{
	uint64_t unit = 1;

	for (unsigned i = 0; i < places; i++)
		unit *= 10;
	begin_value(json, key);
	g_string_append_printf(json->text, "%" PRIu64 ".%0*" PRIu64, value / unit, (int)places, value % unit);
}

void json_bool(struct json *json, const char *key, gboolean value)
{
	begin_value(json, key);
	g_string_append(json->text, value ? "true" : "false");
}

void json_bytes(struct json *json, const char *key, const char *bytes, size_t size)
{
	begin_value(json, key);
	append_escaped(json->text, bytes, size);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (value)
		json_bytes(json, key, value, strlen(value));
}

void json_raw(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	g_string_append(json->text, value);
}

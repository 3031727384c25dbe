/* Strict where the printers could go wrong: strings are UTF-8 without control
 * characters, no comma too many, no key twice (RFC 7493). */
#include "is_json.h"

#include <glib.h>
#include <string.h>

#define DEPTH 32u

struct reader {
	const char *at, *end;
	unsigned depth;
};

static bool value(struct reader *reader);

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4))
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool escape(struct reader *reader)
{
	char c = reader->at < reader->end ? *reader->at++ : '\0';

	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c);
	for (int i = 0; i < 4; i++)
		if (reader->at == reader->end || !g_ascii_isxdigit(*reader->at++))
			return false;
	return true;
}

static bool string(struct reader *reader)
{
	const char *from;

	if (!take(reader, '"'))
		return false;
	from = reader->at;
	while (reader->at < reader->end) {
		unsigned char c = (unsigned char)*reader->at++;

		if (c == '"')
			return g_utf8_validate_len(from, (gsize)(reader->at - from), NULL);
		if (c < ' ' || (c == '\\' && !escape(reader)))
			return false;
	}
	return false;
}

static bool digits(struct reader *reader)
{
	const char *from = reader->at;

	while (reader->at < reader->end && g_ascii_isdigit(*reader->at))
		reader->at++;
	return reader->at > from && (*from != '0' || reader->at == from + 1);
}

static bool member(struct reader *reader, GHashTable *keys)
{
	const char *from;

	skip_space(reader);
	from = reader->at;
	if (!string(reader) || !g_hash_table_add(keys, g_strndup(from, (gsize)(reader->at - from))))
		return false;
	return take(reader, ':') && value(reader);
}

static bool object(struct reader *reader)
{
	GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	bool good = take(reader, '}');

	if (!good) {
		do
			good = member(reader, keys);
		while (good && take(reader, ','));
		good = good && take(reader, '}');
	}
	g_hash_table_unref(keys);
	return good;
}

static bool array(struct reader *reader)
{
	bool good = take(reader, ']');

	if (!good) {
		do
			good = value(reader);
		while (good && take(reader, ','));
		good = good && take(reader, ']');
	}
	return good;
}

static bool number(struct reader *reader)
{
	const char *from;

	if (!digits(reader))
		return false;
	if (reader->at == reader->end || *reader->at != '.')
		return true;
	for (from = ++reader->at; reader->at < reader->end && g_ascii_isdigit(*reader->at); reader->at++)
		;
	return reader->at > from;
}

static bool word(struct reader *reader, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, text, size) != 0)
		return false;
	reader->at += size;
	return true;
}

/* No null, and no number below zero or with an exponent: the printers write none. */
static bool value(struct reader *reader)
{
	bool good;

	skip_space(reader);
	if (reader->at == reader->end || ++reader->depth > DEPTH)
		return false;
	if (*reader->at == '"')
		good = string(reader);
	else if (take(reader, '{'))
		good = object(reader);
	else if (take(reader, '['))
		good = array(reader);
	else
		good = word(reader, "true") || word(reader, "false") || number(reader);
	reader->depth--;
	return good;
}

bool is_json(const char *text, size_t size)
{
	struct reader reader = { text, text + size, 0 };
	bool good = value(&reader);

	skip_space(&reader);
	return good && reader.at == reader.end;
}

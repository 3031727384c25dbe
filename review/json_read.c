#include "json_read.h"

#include <glib.h>
#include <string.h>

#define DEPTH_MOST 64u

struct reader {
	const char *text, *at, *end;
	unsigned depth;
};

static struct json_value *read_value(struct reader *reader);

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

static bool take_word(struct reader *reader, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
		return false;
	reader->at += size;
	return true;
}

/* Four digits of \u; -1: they are none. */
static int read_unit(struct reader *reader)
{
	int unit = 0;

	for (int i = 0; i < 4; i++) {
		if (reader->at == reader->end || !g_ascii_isxdigit(*reader->at))
			return -1;
		unit = unit << 4 | g_ascii_xdigit_value(*reader->at++);
	}
	return unit;
}

/* What \u stands for, two of them for what is beyond 16 bits; half of a pair, or a
 * NUL, which our texts can't hold, is the replacement character. */
static bool read_unicode(struct reader *reader, GString *text)
{
	int unit = read_unit(reader), low;
	gunichar c = unit > 0 ? (gunichar)unit : 0xfffd;

	if (unit < 0)
		return false;
	if (c >= 0xd800 && c < 0xdc00 && take_word(reader, "\\u")) {
		low = read_unit(reader);
		if (low < 0)
			return false;
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + ((gunichar)low - 0xdc00) : 0xfffd;
	}
	g_string_append_unichar(text, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return true;
}

static bool read_escape(struct reader *reader, GString *text)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *name;
	char c = reader->at < reader->end ? *reader->at++ : '\0';

	if (c == 'u')
		return read_unicode(reader, text);
	name = c ? strchr(names, c) : NULL;
	if (name)
		g_string_append_c(text, meanings[name - names]);
	return name != NULL;
}

/* New text; NULL: no string. */
static char *read_string(struct reader *reader)
{
	GString *text;
	bool good = true;

	if (!take(reader, '"'))
		return NULL;
	text = g_string_new(NULL);
	while (good && reader->at < reader->end && *reader->at != '"') {
		char c = *reader->at++;

		if (c == '\\')
			good = read_escape(reader, text);
		else if ((unsigned char)c < ' ')
			good = false;
		else
			g_string_append_c(text, c);
	}
	good = good && take(reader, '"') && g_utf8_validate(text->str, (gssize)text->len, NULL);
	return g_string_free(text, !good);
}

static bool read_digits(struct reader *reader, uint64_t *number)
{
	const char *from = reader->at;

	for (*number = 0; reader->at < reader->end && g_ascii_isdigit(*reader->at); reader->at++) {
		uint64_t digit = (uint64_t)g_ascii_digit_value(*reader->at);

		*number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
	}
	return reader->at > from;
}

static bool read_number(struct reader *reader, uint64_t *number)
{
	const char *from = reader->at;
	bool negative = take_word(reader, "-");
	uint64_t rest;

	from += negative;
	if (!read_digits(reader, number) || (*from == '0' && reader->at > from + 1))
		return false;
	if (take_word(reader, ".") && !read_digits(reader, &rest))
		return false;
	if (take_word(reader, "e") || take_word(reader, "E")) {
		if (!take_word(reader, "+"))
			take_word(reader, "-");
		if (!read_digits(reader, &rest))
			return false;
		*number = 0; /* nobody counts like this */
	}
	if (negative)
		*number = 0;
	return true;
}

static bool read_members(struct reader *reader, struct json_value *value, char end)
{
	struct json_value **next = &value->members;

	if (take(reader, end))
		return true;
	do {
		char *name = NULL;

		if (value->kind == JSON_OBJECT && (!(name = read_string(reader)) || !take(reader, ':'))) {
			g_free(name);
			return false;
		}
		*next = read_value(reader);
		if (!*next) {
			g_free(name);
			return false;
		}
		(*next)->name = name;
		next = &(*next)->next;
	} while (take(reader, ','));
	return take(reader, end);
}

static bool read_into(struct reader *reader, struct json_value *value)
{
	if (take(reader, '{')) {
		value->kind = JSON_OBJECT;
		return read_members(reader, value, '}');
	}
	if (take(reader, '[')) {
		value->kind = JSON_ARRAY;
		return read_members(reader, value, ']');
	}
	if (*reader->at == '"') {
		value->kind = JSON_STRING;
		value->text = read_string(reader);
		return value->text != NULL;
	}
	if (take_word(reader, "null"))
		return true;
	if (take_word(reader, "true") || take_word(reader, "false")) {
		value->kind = JSON_BOOL;
		return true;
	}
	value->kind = JSON_NUMBER;
	return read_number(reader, &value->number);
}

static struct json_value *read_value(struct reader *reader)
{
	struct json_value *value;
	bool good;

	skip_space(reader);
	if (reader->at == reader->end || reader->depth == DEPTH_MOST)
		return NULL;
	value = g_new0(struct json_value, 1);
	reader->depth++;
	good = read_into(reader, value);
	reader->depth--;
	if (good)
		return value;
	json_value_free(value);
	return NULL;
}

struct json_value *json_read(const char *text, size_t size, unsigned *line)
{
	struct reader reader = { text, text, text + size, 0 };
	struct json_value *value = read_value(&reader);

	skip_space(&reader);
	if (value && reader.at == reader.end)
		return value;
	json_value_free(value);
	*line = 1;
	for (const char *at = text; at < reader.at; at++)
		*line += *at == '\n';
	return NULL;
}

void json_value_free(struct json_value *value)
{
	while (value) {
		struct json_value *next = value->next;

		json_value_free(value->members); /* as deep as was read: DEPTH_MOST */
		g_free(value->name);
		g_free(value->text);
		g_free(value);
		value = next;
	}
}

const struct json_value *json_member(const struct json_value *object, const char *name, enum json_kind kind)
{
	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json_value *member = object->members; member; member = member->next)
		if (member->kind == kind && !strcmp(member->name, name))
			return member;
	return NULL;
}

const char *json_text_of(const struct json_value *object, const char *name)
{
	const struct json_value *member = json_member(object, name, JSON_STRING);

	return member ? member->text : NULL;
}

uint64_t json_number_of(const struct json_value *object, const char *name)
{
	const struct json_value *member = json_member(object, name, JSON_NUMBER);

	return member ? member->number : 0;
}

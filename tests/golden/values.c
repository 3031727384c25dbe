#include "values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

uint64_t value_number(const char *text)
{
	char *end;
	uint64_t value = g_ascii_strtoull(text, &end, 0);

	if (end == text || *end)
		die("no number", text);
	return value;
}

uint64_t value_sock(const char *text)
{
	const char *dot = strchr(text, '.');

	return dot ? g_ascii_strtoull(text, NULL, 10) << 32 | value_number(dot + 1) : value_number(text);
}

static struct hc_address address(const char *text)
{
	struct hc_address to = { 0 };
	const char *colon = strrchr(text, ':');
	char *ip;

	if (!colon)
		die("no address", text);
	ip = *text == '[' ? g_strndup(text + 1, (size_t)(colon - text) - 2) : g_strndup(text, (size_t)(colon - text));
	to.family = *text == '[' ? AF_INET6 : AF_INET;
	to.port = (uint16_t)value_number(colon + 1);
	if (inet_pton(to.family, ip, to.ip) != 1)
		die("no address", text);
	g_free(ip);
	return to;
}

static uint64_t error_number(const char *text)
{
	for (int error = 1; error < 200; error++)
		if (g_strcmp0(strerrorname_np(error), text) == 0)
			return (uint64_t)error;
	return value_number(text);
}

static uint64_t flags(const char *text)
{
	char **names = g_strsplit(text, ",", -1);
	uint64_t bits = 0;

	for (char **name = names; *name; name++) {
		int bit = value_named(FIELD_flags, *name);

		if (bit < 0)
			die("no flag", *name);
		bits |= 1ull << bit;
	}
	g_strfreev(names);
	return bits;
}

static struct hc_build_id build_id(const char *text)
{
	struct hc_build_id id = { .size = (uint8_t)(strlen(text) / 2) };

	for (unsigned i = 0; i < id.size && i < sizeof(id.bytes); i++)
		id.bytes[i] = (uint8_t)(g_ascii_xdigit_value(text[2 * i]) << 4 | g_ascii_xdigit_value(text[2 * i + 1]));
	return id;
}

static void append_bytes(GByteArray *record, struct hc_span *span, const void *bytes, size_t size)
{
	span->offset = record->len;
	span->size = (uint32_t)size;
	g_byte_array_append(record, bytes, (guint)size);
}

/* "1+0x40,2+0x80": modules and offsets */
static void append_stack(GByteArray *record, struct hc_span *span, const char *text)
{
	char **frames = g_strsplit(text, ",", -1);
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct hc_frame));

	for (char **frame = frames; *frame; frame++) {
		struct hc_frame is = { 0 };
		char *plus = strchr(*frame, '+');

		if (plus)
			*plus++ = '\0';
		is.module = plus ? value_number(*frame) : 0;
		is.offset = value_number(plus ? plus : *frame);
		g_array_append_val(list, is);
	}
	append_bytes(record, span, list->data, list->len * sizeof(struct hc_frame));
	g_array_unref(list);
	g_strfreev(frames);
}

static void set_span(GByteArray *record, const struct field *field, const char *text)
{
	struct hc_span span;

	if (sscanf(text, "@%u+%u", &span.offset, &span.size) == 2) /* a span as it is, right or wrong */
		;
	else if (field->type == FIELD_stack)
		append_stack(record, &span, text);
	else
		append_bytes(record, &span, text, strlen(text));
	memcpy(record->data + field->offset, &span, sizeof(span));
}

static uint64_t value_of(const struct field *field, const char *text)
{
	int value;

	switch (field->type) {
	case FIELD_u64:
	case FIELD_id:
	case FIELD_u32:
		return value_number(text);
	case FIELD_sock:
		return value_sock(text);
	case FIELD_error:
		return error_number(text);
	case FIELD_flags:
		return *text ? flags(text) : 0;
	default:
		value = value_named(field->type, text);
		return value >= 0 ? (uint64_t)value : value_number(text);
	}
}

void value_set(GByteArray *record, const struct field *field, const char *text)
{
	struct hc_address to;
	struct hc_build_id id;
	uint64_t value;

	switch (field->type) {
	case FIELD_text:
	case FIELD_stack:
		set_span(record, field, text);
		break;
	case FIELD_address:
		to = address(text);
		memcpy(record->data + field->offset, &to, sizeof(to));
		break;
	case FIELD_build:
		id = build_id(text);
		memcpy(record->data + field->offset, &id, sizeof(id));
		break;
	default:
		value = value_of(field, text);
		memcpy(record->data + field->offset, &value, field->size); /* little endian */
	}
}

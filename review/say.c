/* Needs _GNU_SOURCE for strerrorname_np. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "say.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static bool status_shown;

void say_status(const char *format, ...)
{
	va_list arguments;

	if (status_shown)
		fputs("\r\033[K", stderr);
	status_shown = format != NULL;
	if (format) {
		fputs("halfclose: ", stderr);
		va_start(arguments, format);
		vfprintf(stderr, format, arguments);
		va_end(arguments);
	}
	fflush(stderr);
}

void complain(const char *format, ...)
{
	va_list arguments;
	char *text, *line;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	line = say_text(text, strlen(text));
	fflush(stdout);
	if (status_shown)
		say_status(NULL);
	fprintf(stderr, "halfclose: %s\n", line);
	g_free(line);
	g_free(text);
}

/* Levenshtein's distance: how many letters to change, add or leave out. */
static unsigned distance(const char *a, const char *b)
{
	size_t width = strlen(b) + 1;
	unsigned *row = g_new(unsigned, width), result;

	for (size_t k = 0; k < width; k++)
		row[k] = (unsigned)k;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t k = 1; k < width; k++) {
			unsigned change = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			row[k] = MIN(change, MIN(row[k], row[k - 1]) + 1);
		}
	}
	result = row[width - 1];
	g_free(row);
	return result;
}

const char *nearest(const char *word, const char *const *list)
{
	unsigned best = UINT_MAX;
	const char *found = NULL;

	for (; *list; list++) {
		unsigned d = distance(word, *list);

		if (g_str_has_prefix(*list, word))
			d = MIN(d, 1);
		if (d < best) {
			best = d;
			found = *list;
		}
	}
	return found && best <= MAX(2, strlen(found) / 3) && best < strlen(found) ? found : NULL;
}

/* Characters that would move the cursor, hide text or turn its direction. */
static bool is_treacherous(gunichar c)
{
	return g_unichar_iscntrl(c) || c == 0xfeff || c == 0x2028 || c == 0x2029 || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *say_text(const char *bytes, size_t size)
{
	GString *text = g_string_sized_new(size + 1);
	const char *end = bytes + size;

	while (bytes < end) {
		gunichar c = g_utf8_get_char_validated(bytes, end - bytes);
		const char *next = bytes + 1;

		if (*bytes && c < 0x110000) {
			next = g_utf8_next_char(bytes);
			if (!is_treacherous(c)) {
				g_string_append_unichar(text, c);
				bytes = next;
				continue;
			}
		}
		for (; bytes < next; bytes++)
			g_string_append_printf(text, "\\x%02x", (unsigned char)*bytes);
	}
	return g_string_free(text, FALSE);
}

char *say_count(uint64_t number)
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			g_string_append_c(text, ',');
		g_string_append_c(text, digits[i]);
	}
	return g_string_free(text, FALSE);
}

const char *say_family(uint16_t family)
{
	switch (family) {
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	case AF_UNIX:
		return "unix";
	default:
		return NULL;
	}
}

char *say_address(const struct hc_address *address)
{
	char ip[INET6_ADDRSTRLEN];

	if (address->family == AF_INET) {
		inet_ntop(AF_INET, address->ip, ip, sizeof(ip));
		return g_strdup_printf("%s:%u", ip, address->port);
	}
	if (address->family == AF_INET6) {
		inet_ntop(AF_INET6, address->ip, ip, sizeof(ip));
		if (address->scope && address->scope != UINT32_MAX)
			return g_strdup_printf("[%s%%%u]:%u", ip, address->scope, address->port);
		return g_strdup_printf("[%s]:%u", ip, address->port);
	}
	return NULL;
}

char *say_time(uint64_t realtime)
{
	time_t seconds = (time_t)(realtime / 1000000000u);
	struct tm tm;
	char day[40];

	if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		return g_strdup("1970-01-01T00:00:00.000000000Z");
	return g_strdup_printf("%s.%09uZ", day, (unsigned)(realtime % 1000000000u));
}

char *say_build_id(const struct hc_build_id *id)
{
	GString *text;

	if (id->size == 0 || id->size > sizeof(id->bytes))
		return NULL;
	text = g_string_new(NULL);
	for (unsigned i = 0; i < id->size; i++)
		g_string_append_printf(text, "%02x", id->bytes[i]);
	return g_string_free(text, FALSE);
}

char *say_error(uint64_t error)
{
	const char *name = error <= INT_MAX ? strerrorname_np((int)error) : NULL;

	return name ? g_strdup(name) : g_strdup_printf("errno %" PRIu64, error);
}

char *say_plural(uint64_t count, const char *one, const char *many)
{
	char *number = say_count(count), *text = g_strconcat(number, " ", count == 1 ? one : many, NULL);

	g_free(number);
	return text;
}

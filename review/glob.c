#include "glob.h"

#include <glib.h>
#include <string.h>

static const char *next_character(const char *text)
{
	do
		text++;
	while (((unsigned char)*text & 0xc0) == 0x80);
	return text;
}

/* Without recursion: only the last star is ever tried again, so that no pattern takes
 * more than its length times the text's. */
bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		const char *literal = *pattern == '\\' && pattern[1] ? pattern + 1 : pattern;

		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?') {
			pattern++;
			text = next_character(text);
		} else if (*literal == *text) {
			pattern = literal + 1;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool glob_match_path(const char *pattern, const char *path)
{
	for (; path; path = strchr(path, '/') ? strchr(path, '/') + 1 : NULL)
		if (glob_match(pattern, path))
			return true;
	return false;
}

static bool is_plain(const char *text, const char *at)
{
	return g_ascii_isgraph(*at) || (*at == ' ' && at != text && at[1]);
}

char *glob_of(const char *text)
{
	GString *pattern = g_string_new(NULL);
	bool starred = false; /* one star is enough for a row of them */

	for (const char *at = text, *next; *at; at = next) {
		gunichar c = g_utf8_get_char_validated(at, -1);

		next = c < 0x110000 ? g_utf8_next_char(at) : at + 1;
		if (c < 0x110000 && (c < 0x80 ? is_plain(text, at) : g_unichar_isgraph(c))) {
			if (strchr("*?\\", *at))
				g_string_append_c(pattern, '\\');
			g_string_append_len(pattern, at, next - at);
			starred = false;
		} else if (!starred) {
			g_string_append_c(pattern, '*');
			starred = true;
		}
	}
	return g_string_free(pattern, FALSE);
}

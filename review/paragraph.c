#include "paragraph.h"

#include <string.h>

#include "say.h"
#include "sites.h"

char *paragraph_wrap(const char *label, const char *text, unsigned columns)
{
	char *safe = say_text(text, strlen(text));
	char **words = g_strsplit(safe, " ", -1);
	unsigned indent = (unsigned)strlen(label), column = indent;
	GString *page = g_string_new(label);

	for (char **word = words; *word; word++) {
		unsigned width = (unsigned)g_utf8_strlen(*word, -1);

		if (column > indent && column + 1 + width > columns) {
			g_string_append_printf(page, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			g_string_append_c(page, ' ');
			column++;
		}
		g_string_append(page, *word);
		column += width;
	}
	g_string_append_c(page, '\n');
	g_strfreev(words);
	g_free(safe);
	return g_string_free(page, FALSE);
}

char *paragraph_cut(const char *text, unsigned columns)
{
	char *safe = say_text(text, strlen(text)), *cut, *result;

	if (g_utf8_strlen(safe, -1) <= columns)
		return safe;
	cut = g_utf8_substring(safe, 0, columns - 3);
	result = g_strconcat(cut, "...", NULL);
	g_free(cut);
	g_free(safe);
	return result;
}

char *paragraph_frame(const struct frame *frame)
{
	return site_frame(frame);
}

/* Plain text -> what mdoc shows as that text. */
#include "derive.h"

#include <string.h>

static void append_safe(GString *into, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\\')
			g_string_append(into, "\\e");
		else if (text[i] == '-')
			g_string_append(into, "\\-"); /* a minus, which can be typed; not a hyphen */
		else
			g_string_append_c(into, text[i]);
	}
}

/* Where the next sentence begins. */
static const char *sentence_end(const char *text)
{
	for (const char *at = text; *at; at++)
		if (at > text && strchr(".?!", *at) && at[1] == ' ' && g_ascii_isupper(at[2]))
			return at + 1;
	return text + strlen(text);
}

void mdoc_text(FILE *out, const char *text)
{
	char *line = in_one_line(text);

	for (const char *at = line, *end; *at; at = end + (*end == ' ')) {
		GString *sentence = g_string_new(NULL);

		end = sentence_end(at);
		if (*at == '.' || *at == '\'')
			g_string_append(sentence, "\\&");
		append_safe(sentence, at, (size_t)(end - at));
		fprintf(out, "%s\n", sentence->str);
		g_string_free(sentence, TRUE);
	}
	g_free(line);
}

char *mdoc_word(const char *text)
{
	GString *word = g_string_new("\"\\&"); /* so that it is no macro and no delimiter */
	char **pieces = g_strsplit(text, "\"", -1);

	for (unsigned i = 0; pieces[i]; i++) {
		g_string_append(word, i ? "\\(dq" : "");
		append_safe(word, pieces[i], strlen(pieces[i]));
	}
	g_strfreev(pieces);
	g_string_append_c(word, '"');
	return g_string_free(word, FALSE);
}

void mdoc_item(FILE *out, const char *macro, const char *text)
{
	char *word = mdoc_word(text);

	fprintf(out, ".It %s %s\n", macro, word);
	g_free(word);
}

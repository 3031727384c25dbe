/* derive TEMPLATE > OUTPUT: see derive.h. */
#include "derive.h"

#include <locale.h>
#include <string.h>

static void write_operating_system(FILE *out, const char *argument)
{
	(void)argument;
	fputs(".Os halfclose " HC_VERSION_TEXT "\n", out);
}

static const struct part own_parts[] = { { "os", write_operating_system }, { 0 } };
static const struct part *const all[] = { own_parts, manual_parts, value_parts, bash_parts, zsh_parts };

static const struct part *part_named(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
		for (const struct part *part = all[i]; part->name; part++)
			if (!strcmp(part->name, name))
				return part;
	return NULL;
}

/* "@PART ARGUMENT@" -> both; false: a line to be copied */
static gboolean is_part(const char *line, char ***words)
{
	size_t length = strlen(line);
	char *inside;

	if (length < 3 || line[0] != '@' || line[length - 1] != '@')
		return FALSE;
	inside = g_strndup(line + 1, length - 2);
	*words = g_strsplit(inside, " ", 2);
	g_free(inside);
	return TRUE;
}

static gboolean write_line(const char *line)
{
	const struct part *part;
	char **words;

	if (!is_part(line, &words)) {
		puts(line);
		return TRUE;
	}
	part = part_named(words[0]);
	if (part)
		part->write(stdout, words[1] ? words[1] : "");
	else
		fprintf(stderr, "derive: there is no part '%s'\n", words[0]);
	g_strfreev(words);
	return part != NULL;
}

int main(int argc, char **argv)
{
	gboolean good = TRUE;
	GError *error = NULL;
	char *text, **lines;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc != 2) {
		fputs("usage: derive TEMPLATE\n", stderr);
		return 2;
	}
	if (!g_file_get_contents(argv[1], &text, NULL, &error)) {
		fprintf(stderr, "derive: %s\n", error->message);
		g_error_free(error);
		return 1;
	}
	lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; lines[i] && (lines[i + 1] || *lines[i]); i++)
		good = write_line(lines[i]) && good;
	g_strfreev(lines);
	g_free(text);
	return good && fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

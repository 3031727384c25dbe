/* Parts of bash's completion: branches of `case`. */
#include "derive.h"

#include <string.h>

/* In single quotes. */
static char *quoted(const char *text)
{
	char **pieces = g_strsplit(text, "'", -1), *joined = g_strjoinv("'\\''", pieces);
	char *all = g_strconcat("'", joined, "'", NULL);

	g_strfreev(pieces);
	g_free(joined);
	return all;
}

static void write_values(FILE *out, const struct values *values)
{
	static const char *const kinds[] = { "nothing", "any",     "file",  "directory",
		                             "process", "program", "words", "list" };
	char *words = values->words ? g_strjoinv(" ", values->words) : g_strdup("");
	char *alone = values->alone ? g_strjoinv(" ", values->alone) : NULL;
	char *quotes = quoted(words), *alone_quotes = alone ? quoted(alone) : NULL;

	fprintf(out, "kind=%s words=%s", kinds[values->kind], quotes);
	fprintf(out, alone ? " alone=%s ;;\n" : " ;;\n", alone_quotes);
	g_free(alone_quotes);
	g_free(alone);
	g_free(quotes);
	g_free(words);
}

static void write_commands(FILE *out, const char *argument)
{
	(void)argument;
	fputs("\tlocal commands='", out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "%s%s", command == commands ? "" : " ", command->name);
	fputs("'\n", out);
}

/* A command's options, as they are offered: with `=` where a value must follow. */
static void write_options(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++) {
		fprintf(out, "\t%s) words='", command->name);
		for (const GOptionEntry *entry = options_of(command); entry->long_name; entry++) {
			struct values values = values_of_option(command, entry);
			gboolean must = values.kind != KIND_nothing && !(entry->flags & G_OPTION_FLAG_OPTIONAL_ARG);

			if (entry->short_name)
				fprintf(out, "-%c ", entry->short_name);
			fprintf(out, "--%s%s ", entry->long_name, must ? "=" : "");
			values_free(&values);
		}
		fputs("' ;;\n", out);
	}
}

static void write_option_values(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++)
		for (const GOptionEntry *entry = options_of(command); entry->long_name; entry++) {
			struct values values = values_of_option(command, entry);

			if (values.kind == KIND_nothing)
				continue;
			fprintf(out, "\t'%s --%s'", command->name, entry->long_name);
			if (entry->short_name)
				fprintf(out, " | '%s -%c'", command->name, entry->short_name);
			fputs(") ", out);
			write_values(out, &values);
			values_free(&values);
		}
}

/* Those that may stand alone: what follows is no value of theirs. */
static void write_optional(FILE *out, const char *argument)
{
	(void)argument;
	fputs("\tlocal optional=' ", out);
	for (const struct command *command = commands; command->name; command++)
		for (const GOptionEntry *entry = options_of(command); entry->long_name; entry++)
			if (entry->flags & G_OPTION_FLAG_OPTIONAL_ARG)
				fprintf(out, "--%s ", entry->long_name);
	fputs("'\n", out);
}

static void write_operands(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++) {
		struct values values = values_of_operands(command);

		fprintf(out, "\t%s) ", command->name);
		write_values(out, &values);
		values_free(&values);
	}
}

static void write_drain(FILE *out, const char *argument)
{
	(void)argument;
	fputs("\tlocal words='", out);
	for (const struct drain_option *option = drain_options; option->name; option++)
		fprintf(out, "--%s%s ", option->name, *option->argument ? "=" : "");
	fputs("'\n", out);
}

const struct part bash_parts[] = {
	{ "bash-commands", write_commands },
	{ "bash-options", write_options },
	{ "bash-option-values", write_option_values },
	{ "bash-optional", write_optional },
	{ "bash-operands", write_operands },
	{ "bash-drain", write_drain },
	{ 0 },
};

/* Parts of zsh's completion: specifications for _arguments. */
#include "derive.h"

#include <string.h>

/* What is special inside a specification in single quotes. */
static char *safe(const char *text)
{
	GString *into = g_string_new(NULL);
	char *line = in_one_line(text);

	for (const char *at = line; *at; at++) {
		if (strchr("[]:\\", *at))
			g_string_append_c(into, '\\');
		if (*at == '\'')
			g_string_append(into, "'\\'");
		g_string_append_c(into, *at);
	}
	g_free(line);
	return g_string_free(into, FALSE);
}

static char *action_of_words(const struct values *values)
{
	char *words = g_strjoinv(" ", values->words), *alone = values->alone ? g_strjoinv(",", values->alone) : NULL;
	char *action =
	    alone ? g_strdup_printf("_halfclose_list \"%s\" %s", alone, words) : g_strdup_printf("(%s)", words);

	g_free(alone);
	g_free(words);
	return action;
}

static char *action_of(const struct values *values)
{
	switch (values->kind) {
	case KIND_file:
		return g_strdup("_files");
	case KIND_directory:
		return g_strdup("_files -/");
	case KIND_process:
		return g_strdup("_pids");
	case KIND_words:
	case KIND_list:
		return action_of_words(values);
	default:
		return g_strdup(" ");
	}
}

/* The first clause: a menu has one line for each. */
static char *brief(const char *description)
{
	static const char *const ends[] = { "; ", ". ", ": ", " [" };
	char *line = in_one_line(description);

	for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
		char *end = strstr(line, ends[i]);

		if (end)
			*end = '\0';
	}
	return line;
}

/* '(-o --output)'{-o+,--output=}'[description]:FILE:_files' */
static void write_option(FILE *out, const struct command *command, const GOptionEntry *entry)
{
	struct values values = values_of_option(command, entry);
	gboolean valued = values.kind != KIND_nothing, may = (entry->flags & G_OPTION_FLAG_OPTIONAL_ARG) != 0;
	const char *equals = !valued ? "" : may ? "=-" : "=";
	char *clause = brief(entry->description), *description = safe(clause), *action = action_of(&values);

	if (entry->short_name)
		fprintf(out, "\t\t\t'(-%c --%s)'{-%c%s,--%s%s}'[%s]", entry->short_name, entry->long_name,
		        entry->short_name, valued ? "+" : "", entry->long_name, equals, description);
	else
		fprintf(out, "\t\t\t'--%s%s[%s]", entry->long_name, equals, description);
	if (valued)
		fprintf(out, "%s%s:%s", may ? "::" : ":", entry->arg_description ? entry->arg_description : "value",
		        action);
	fputs("' \\\n", out);
	g_free(action);
	g_free(description);
	g_free(clause);
	values_free(&values);
}

static void write_operands(FILE *out, const struct command *command)
{
	struct values values = values_of_operands(command);
	char *action = action_of(&values);

	if (values.kind == KIND_program)
		fputs("\t\t\t'(-)1:program:_command_names -e' '*::argument:_normal'\n", out);
	else if (values.kind == KIND_nothing)
		fputs("\t\t\t&& return\n", out);
	else if (values.kind == KIND_words)
		fprintf(out, "\t\t\t'1:%s:%s'\n", command->name, action);
	else
		fprintf(out, "\t\t\t'*:%s:%s'\n", command->name, action);
	g_free(action);
	values_free(&values);
}

static void write_commands(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++) {
		char *summary = safe(command->summary);

		fprintf(out, "\t\t'%s:%s'\n", command->name, summary);
		g_free(summary);
	}
}

static void write_branches(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++) {
		fprintf(out, "\t%s)\n\t\t_arguments -s -S%s \\\n", command->name,
		        command->stops_at_operand ? " -A '-*'" : "");
		for (const GOptionEntry *entry = options_of(command); entry->long_name; entry++)
			write_option(out, command, entry);
		write_operands(out, command);
		fputs("\t\t;;\n", out);
	}
}

static void write_drain(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct drain_option *option = drain_options; option->name; option++) {
		char *meaning = safe(option->meaning);

		fprintf(out, "\t\t'--%s%s[%s]%s%s%s'%s\n", option->name, *option->argument ? "=" : "", meaning,
		        *option->argument ? ":" : "", option->argument, *option->argument ? ": " : "",
		        option[1].name ? " \\" : "");
		g_free(meaning);
	}
}

const struct part zsh_parts[] = {
	{ "zsh-commands", write_commands },
	{ "zsh-branches", write_branches },
	{ "zsh-drain", write_drain },
	{ 0 },
};

/* What the tables say, in the form in which the parts want it. */
#include "derive.h"

#include <string.h>

const struct variable variables[] = {
#define OPTION(name, type, preset, values, meaning) { #name, #type, preset, values, meaning },
#include <halfclose/options.def>
	{ 0 },
};

const struct drain_option drain_options[] = {
#define OPTION(name, argument, preset, meaning) { #name, argument, preset, meaning },
#include "../../drain/options.def"
	{ 0 },
};

/* "how to write it:" and below it a line for each value and its meaning */
static const char *table_of_values(const char *description)
{
	const char *colon = description ? strstr(description, ":\n") : NULL;

	return colon ? colon + 1 : NULL;
}

/* Without the values in a table: they have a place of their own in the manual. */
char *in_one_line(const char *text)
{
	GString *line = g_string_new(NULL);
	const char *end = table_of_values(text) ? table_of_values(text) - 1 : NULL;

	for (; text && *text && text != end; text++)
		if (!g_ascii_isspace(*text))
			g_string_append_c(line, *text);
		else if (line->len && line->str[line->len - 1] != ' ')
			g_string_append_c(line, ' ');
	return g_strchomp(g_string_free(line, FALSE));
}

const GOptionEntry *options_of(const struct command *command)
{
	static const GOptionEntry help = { .long_name = "help",
		                           .short_name = 'h',
		                           .description = "explain the command" };
	static GArray *entries; /* of the command that was asked for last */

	if (entries)
		g_array_unref(entries);
	entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
	for (const GOptionEntry *entry = command->options ? command->options() : NULL; entry && entry->long_name;
	     entry++)
		if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
			g_array_append_val(entries, *entry);
	g_array_append_val(entries, help);
	return (const GOptionEntry *)(const void *)entries->data;
}

/* ---- what an option takes ---- */

/* `halfclose run` has an option for each of the environment's. */
static const struct variable *variable_of(const struct command *command, const GOptionEntry *entry)
{
	char *name = g_strdelimit(g_ascii_strup(entry->long_name, -1), "-", '_');
	const struct variable *found = NULL;

	for (const struct variable *variable = variables; command->stops_at_operand && variable->name; variable++)
		if (entry->arg == G_OPTION_ARG_CALLBACK && !strcmp(variable->name, name))
			found = variable;
	g_free(name);
	return found;
}

/* "unread,late[,rdwr]" -> each of the words; "exe=NAME,port=N" -> "exe=", "port=" */
static char **words_of_list(const char *values)
{
	char **words = g_strsplit_set(values, ",[]", -1);
	unsigned count = 0;

	for (unsigned i = 0; words[i]; i++) {
		char *value = strchr(words[i], '=');

		if (value)
			value[1] = '\0';
		if (*words[i])
			words[count++] = words[i];
		else
			g_free(words[i]);
	}
	words[count] = NULL;
	return words;
}

/* "off|all|WORDS" */
static struct values values_of_list(const char *text)
{
	const char *bar = strrchr(text, '|');
	char *alone = bar ? g_strndup(text, (gsize)(bar - text)) : g_strdup("");
	struct values values = { KIND_list, words_of_list(bar ? bar + 1 : text), g_strsplit(alone, "|", -1) };

	g_free(alone);
	return values;
}

static struct values values_of_variable(const struct variable *variable)
{
	struct values values = { KIND_any, NULL, NULL };

	if (!strcmp(variable->type, "choice")) {
		values = (struct values){ KIND_words, g_strsplit(variable->values, "|", -1), NULL };
	} else if (!strcmp(variable->type, "list") || strchr(variable->values, '=')) {
		values = values_of_list(variable->values);
	} else if (!strcmp(variable->values, "PATH")) {
		values.kind = KIND_file;
	} else if (*variable->preset) {
		values = (struct values){ KIND_words, g_strsplit(variable->preset, "|", 1), NULL };
	}
	return values;
}

/* The first word of each line. */
static char **words_of_table(const char *table)
{
	char *lines = g_strstrip(g_strdup(table)), **words = g_strsplit(lines, "\n", -1);

	g_free(lines);
	for (char **word = words; *word; word++) {
		g_strstrip(*word);
		(*word)[strcspn(*word, " ")] = '\0';
	}
	return words;
}

/* "one of a, b, c; without it a" -> a, b, c; so too the lines of a table */
static char **words_of_description(const char *description)
{
	static const char one_of[] = "one of ";
	char *line, **words;

	if (table_of_values(description))
		return words_of_table(table_of_values(description));
	line = in_one_line(description);
	if (!g_str_has_prefix(line, one_of)) {
		g_free(line);
		return NULL;
	}
	line[strcspn(line, ";.:")] = '\0';
	words = g_strsplit(line + strlen(one_of), ", ", -1);
	g_free(line);
	return words;
}

static enum kind kind_named(const char *name)
{
	static const struct {
		const char *part;
		enum kind kind;
	} kinds[] = {
		{ "FILE", KIND_file },   { "PATH", KIND_file },       { "OLD", KIND_file },
		{ "NEW", KIND_file },    { "RECORDING", KIND_file },  { "DIR", KIND_directory },
		{ "PID", KIND_process }, { "PROCESS", KIND_process },
	};

	for (unsigned i = 0; name && i < G_N_ELEMENTS(kinds); i++)
		if (strstr(name, kinds[i].part))
			return kinds[i].kind;
	return KIND_any;
}

struct values values_of_option(const struct command *command, const GOptionEntry *entry)
{
	const struct variable *variable = variable_of(command, entry);
	const char *argument = entry->arg_description;
	struct values values = { KIND_any, NULL, NULL };

	if (entry->arg == G_OPTION_ARG_NONE || entry->flags & G_OPTION_FLAG_NO_ARG)
		return (struct values){ KIND_nothing, NULL, NULL };
	if (variable)
		return values_of_variable(variable);
	values.words = argument && strchr(argument, '|') ? g_strsplit(argument, "|", -1)
	                                                 : words_of_description(entry->description);
	if (values.words)
		values.kind = KIND_words;
	else if (entry->arg == G_OPTION_ARG_FILENAME || entry->arg == G_OPTION_ARG_FILENAME_ARRAY)
		values.kind = kind_named(argument) == KIND_directory ? KIND_directory : KIND_file;
	else
		values.kind = kind_named(argument);
	return values;
}

struct values values_of_operands(const struct command *command)
{
	GPtrArray *names;

	if (command->stops_at_operand)
		return (struct values){ KIND_program, NULL, NULL };
	if (!*command->usage)
		return (struct values){ KIND_nothing, NULL, NULL };
	if (!strstr(command->usage, "COMMAND"))
		return (struct values){ kind_named(command->usage), NULL, NULL };
	names = g_ptr_array_new();
	for (const struct command *other = commands; other->name; other++)
		g_ptr_array_add(names, g_strdup(other->name));
	g_ptr_array_add(names, NULL);
	return (struct values){ KIND_words, (char **)g_ptr_array_free(names, FALSE), NULL };
}

void values_free(struct values *values)
{
	g_strfreev(values->words);
	g_strfreev(values->alone);
	*values = (struct values){ 0 };
}

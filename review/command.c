/* The table of subcommands, and what they share: finding one, its options, its help. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "paragraph.h"
#include "say.h"

enum { COLUMNS = 80 };

#define EXIT_STATUS_MORE \
	"Exit status: 0; 1 if a file could not be read or something else failed; 2 if the " \
	"command line is wrong."

const struct command commands[] = {
	{ "run", run_command, "run a program under the library; a summary at the end", "-- COMMAND [ARGUMENT...]",
	  "Exit status: COMMAND's own; 128+n if signal n ended it; 127 if it was not found, 126 if it can't be "
	  "executed; 1 if the recording could not be made or a file of suppressions not be read; 2 if the command line "
	  "is wrong.",
	  run_options, TRUE },
	{ "report", report_command, "judge the connections in recordings, and name the call sites", "FILE...",
	  EXIT_STATUS_MORE, report_options, FALSE },
	{ "diff", diff_command, "what got better and what got worse, by call site", "OLD NEW",
	  "OLD and NEW are recordings, or reports of them in JSON (which keep the names of functions when the program "
	  "is built anew). Findings are compared by how often they were found for each connection. "
	  "Exit status: 0 if nothing got worse; 3 if a finding is new or more frequent; 1 if a file could not be read; "
	  "2 if the command line is wrong.",
	  diff_options, FALSE },
	{ "show", show_command, "draw a connection as a ladder: both ends, their states, what was lost",
	  "FILE... [SOCK]",
	  "SOCK is the number by which report and log call a connection (#12 is 12). Without it the connections are "
	  "listed, those that lost most first. " EXIT_STATUS_MORE,
	  show_options, FALSE },
	{ "top", top_command, "a live page: connections, abrupt closes, the worst places",
	  "FILE...",
	  "Ends by q or ^C. Where standard output is no terminal it is one plain page, as by --once. " EXIT_STATUS_MORE,
	  top_options, FALSE },
	{ "log", log_command, "print the events of recordings in the order of time", "FILE...", EXIT_STATUS_MORE,
	  log_options, FALSE },
	{ "ps", ps_command, "the open connections of running processes, and where they were opened", "PID...",
	  "What was opened where is known of a process that is recorded with HALFCLOSE_STACK=opens. Connections in "
	  "CLOSE-WAIT come first: the peer has ended, and the program has not closed. UNREAD is what it has not read, "
	  "UNACKED what it has written and the peer has not acknowledged; all bytes. It takes the process's user, or "
	  "root. With --stacks a thread that sleeps in epoll_wait may find it interrupted (EINTR), as by any "
	  "debugger.\n\n" EXIT_STATUS_MORE,
	  ps_options, FALSE },
	{ "help", help_command, "explain a command", "[COMMAND]", EXIT_STATUS_MORE, NULL, FALSE },
	{ 0 },
};

const struct command *command_named(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

int command_unknown(const char *name)
{
	GPtrArray *names = g_ptr_array_new();
	const char *near;

	for (const struct command *command = commands; command->name; command++)
		g_ptr_array_add(names, (gpointer)command->name);
	g_ptr_array_add(names, NULL);
	near = nearest(name, (const char *const *)names->pdata);
	if (near)
		complain("there is no command '%s'; did you mean '%s'?", name, near);
	else
		complain("there is no command '%s'; see 'halfclose help'", name);
	g_ptr_array_unref(names);
	return STATUS_USAGE;
}

/* GOption does not wrap: a description comes in lines that fit behind its column of
 * options, which is as wide as the longest of them. Those that are in lines stay. */
static const char *wrapped(const char *description, int column)
{
	char *indent, *lines;
	const char *kept = description;

	if (!description || strchr(description, '\n') || column > COLUMNS / 2)
		return description;
	indent = g_strnfill((gsize)column, ' ');
	lines = paragraph_wrap(indent, description, COLUMNS);
	kept = g_intern_string(g_strchomp(lines) + column);
	g_free(lines);
	g_free(indent);
	return kept;
}

static int width_of(const GOptionEntry *entry)
{
	size_t width = strlen("  --") + strlen(entry->long_name) + (entry->short_name ? strlen("-x, ") : 0);

	if (entry->arg_description)
		width += strlen("=") + strlen(entry->arg_description);
	return (int)width;
}

static void add_options(GOptionContext *context, const GOptionEntry *options)
{
	GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
	int column = 0;

	for (const GOptionEntry *entry = options; entry->long_name; entry++)
		column = MAX(column, width_of(entry));
	column += (int)strlen("     ");
	for (const GOptionEntry *entry = options; entry->long_name; entry++) {
		GOptionEntry copy = *entry;

		copy.description = wrapped(entry->description, column);
		g_array_append_val(entries, copy);
	}
	g_option_context_add_main_entries(context, (const GOptionEntry *)(const void *)entries->data, NULL);
	g_array_unref(entries);
}

/* Paragraphs have an empty line between them. */
static char *wrapped_paragraphs(const char *text)
{
	char **paragraphs = g_strsplit(text, "\n\n", -1), *all;

	for (char **paragraph = paragraphs; *paragraph; paragraph++) {
		char *lines = paragraph_wrap("", *paragraph, COLUMNS);

		g_free(*paragraph);
		*paragraph = lines;
	}
	all = g_strjoinv("\n", paragraphs);
	g_strfreev(paragraphs);
	return all;
}

static GOptionContext *context_of(const struct command *command)
{
	GOptionContext *context = g_option_context_new(command->usage);
	char *more = wrapped_paragraphs(command->more);

	g_option_context_set_summary(context, command->summary);
	g_option_context_set_description(context, more);
	g_option_context_set_strict_posix(context, command->stops_at_operand);
	g_option_context_set_help_enabled(context, FALSE);
	if (command->options)
		add_options(context, command->options());
	g_free(more);
	return context;
}

char *command_help(const struct command *command)
{
	GOptionContext *context = context_of(command);
	char *name = g_strconcat("halfclose ", command->name, NULL), *help;

	g_set_prgname(name);
	help = g_option_context_get_help(context, TRUE, NULL);
	g_option_context_free(context);
	g_free(name);
	return help;
}

/* "Unknown option --jsn" -> the option that was probably meant; NULL: none */
static const char *nearest_option(const struct command *command, const char *message)
{
	const GOptionEntry *entry = command->options ? command->options() : NULL;
	const char *dashes = strstr(message, "--"), *near;
	const char **names;
	unsigned count = 0;
	char *word;

	while (entry && entry[count].long_name)
		count++;
	if (!dashes || !count)
		return NULL;
	names = g_new0(const char *, count + 1);
	for (unsigned i = 0; i < count; i++)
		names[i] = entry[i].long_name;
	word = g_strndup(dashes + 2, strcspn(dashes + 2, "= "));
	near = nearest(word, names);
	g_free(word);
	g_free(names);
	return near;
}

static gboolean wants_help(const struct command *command, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--") || (command->stops_at_operand && argv[i][0] != '-'))
			return FALSE;
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return TRUE;
	}
	return FALSE;
}

gboolean command_parse(const struct command *command, int *argc, char ***argv, int *status)
{
	GOptionContext *context;
	GError *error = NULL;

	if (wants_help(command, *argc, *argv)) {
		char *help = command_help(command);

		fputs(help, stdout);
		g_free(help);
		*status = STATUS_OK;
		return FALSE;
	}
	context = context_of(command);
	*status = STATUS_USAGE;
	if (!g_option_context_parse(context, argc, argv, &error)) {
		const char *near = NULL;

		if (g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
			near = nearest_option(command, error->message);
		if (near)
			complain("%s: %s; did you mean --%s?", command->name, error->message, near);
		else
			complain("%s: %s; see 'halfclose help %s'", command->name, error->message, command->name);
		g_error_free(error);
		g_option_context_free(context);
		return FALSE;
	}
	g_option_context_free(context);
	if (*argc > 1 && !strcmp((*argv)[1], "--")) { /* GOption leaves it before what it did not look at */
		(*argv)[1] = (*argv)[0];
		++*argv;
		--*argc;
	}
	return TRUE;
}

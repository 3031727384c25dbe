#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "event_print.h"
#include "follow.h"
#include "say.h"
#include "terminal.h"
#include "timeline.h"

#define POLL_MS 50u /* between two looks at a file that grows */
#define INDENT 24u  /* of what does not fit into a terminal's line */

static gboolean as_json, follow;
static unsigned columns; /* of the terminal; 0: a line is a line */

static const GOptionEntry entries[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one JSON object a line", NULL },
	{ "follow", 'f', 0, G_OPTION_ARG_NONE, &follow, "wait for more, until interrupted", NULL },
	{ 0 },
};

const GOptionEntry *log_options(void)
{
	return entries;
}

static void ignore_judged(struct connection *connection, void *data)
{
	(void)connection;
	(void)data;
}

/* Breaks a line between its words, where the terminal would break it anywhere. */
static void fold(GString *line)
{
	char **words;
	glong column = 0;

	g_string_truncate(line, line->len - 1);
	words = g_strsplit(line->str, " ", -1); /* two spaces have an empty word between them */
	g_string_truncate(line, 0);
	for (unsigned i = 0; words[i]; i++) {
		glong width = g_utf8_strlen(words[i], -1);

		if (i && column > INDENT && column + 1 + width > (glong)columns) {
			g_string_append_printf(line, "\n%*s", (int)INDENT, "");
			column = INDENT;
		} else if (i) {
			g_string_append_c(line, ' ');
			column++;
		}
		g_string_append(line, words[i]);
		column += width;
	}
	g_string_append_c(line, '\n');
	g_strfreev(words);
}

/* Prints all events up to a moment. False: standard output is gone. */
static bool print_until(struct event_printer *printer, struct timeline *timeline, uint64_t until)
{
	GString *line = g_string_new(NULL);
	struct event *event;

	while (!ferror(stdout) && (event = timeline_next(timeline, until))) {
		struct connection *connection;

		processes_event(printer->processes, event);
		connection = connections_event(printer->connections, event);
		g_string_truncate(line, 0);
		if (as_json)
			event_to_json(printer, event, connection, line);
		else
			event_to_text(printer, event, connection, line);
		if (columns)
			fold(line);
		fwrite(line->str, 1, line->len, stdout);
		g_free(event);
	}
	g_string_free(line, TRUE);
	return !ferror(stdout);
}

static void print_all(struct event_printer *printer, struct timeline *timeline)
{
	progress_begin(&timeline->progress, stdout);
	print_until(printer, timeline, UINT64_MAX);
	progress_end(&timeline->progress);
}

/* Nobody reads it any more: that is no failure of ours. */
static void forget_output(void)
{
	__fpurge(stdout);
	clearerr(stdout);
}

static void print_growing(struct event_printer *printer, struct follow *following)
{
	bool more = true;

	follow_signals();
	while (more) {
		follow_refresh(following);
		more = print_until(printer, following->timeline, follow_settled(following)) && fflush(stdout) == 0 &&
		       follow_wait(STDOUT_FILENO, POLL_MS) && follow_any(following);
	}
	if (!ferror(stdout)) {
		follow_refresh(following);
		print_until(printer, following->timeline, UINT64_MAX);
		fflush(stdout);
	}
	if (ferror(stdout) && !follow_is_read(STDOUT_FILENO))
		forget_output();
}

static struct timeline *begin(struct event_printer *printer, struct timeline *timeline)
{
	printer->processes = processes_new();
	timeline->early = processes_module_event;
	timeline->early_data = printer->processes;
	printer->connections = connections_new(printer->processes, ignore_judged, NULL);
	printer->stacks = stacks_new();
	return timeline;
}

/* The exit status. */
static int end(struct event_printer *printer, struct timeline *timeline)
{
	timeline_tell_damage(timeline);
	connections_free(printer->connections);
	processes_free(printer->processes);
	stacks_free(printer->stacks);
	return timeline->problems ? STATUS_FAILED : STATUS_OK;
}

int log_command(const struct command *command, int argc, char **argv)
{
	struct event_printer printer;
	struct timeline *timeline;
	struct follow *following;
	unsigned rows;
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (argc < 2) {
		complain("log: which recording? See 'halfclose help log'");
		return STATUS_USAGE;
	}
	if (!as_json && isatty(STDOUT_FILENO))
		terminal_size(stdout, &columns, &rows);
	if (follow) {
		following = follow_open(argv + 1, NULL, NULL);
		begin(&printer, following->timeline);
		if (follow_any(following))
			print_growing(&printer, following);
		status = end(&printer, following->timeline);
		follow_free(following);
	} else {
		timeline = begin(&printer, timeline_open(argv + 1));
		print_all(&printer, timeline);
		status = end(&printer, timeline);
		timeline_free(timeline);
	}
	return status;
}

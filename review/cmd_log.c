#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "command.h"
#include "event_print.h"
#include "say.h"
#include "timeline.h"

#define POLL_US 50000u      /* between two looks at a file that grows */
#define SETTLE_NS 50000000u /* how late a record may come and still be put in order */

static gboolean as_json, follow;
static volatile sig_atomic_t interrupted;

static const GOptionEntry entries[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one JSON object a line", NULL },
	{ "follow", 'f', 0, G_OPTION_ARG_NONE, &follow, "wait for more, until interrupted", NULL },
	{ 0 },
};

const GOptionEntry *log_options(void)
{
	return entries;
}

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void ignore_judged(struct connection *connection, void *data)
{
	(void)connection;
	(void)data;
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

static void print_growing(struct event_printer *printer, struct timeline *timeline)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	timeline_follow(timeline);
	while (!interrupted) {
		timeline_refresh(timeline);
		if (!print_until(printer, timeline, timeline_moment(timeline, SETTLE_NS)) || fflush(stdout) != 0)
			return;
		g_usleep(POLL_US);
	}
	timeline_refresh(timeline);
	print_until(printer, timeline, UINT64_MAX);
}

static void tell_damage(const struct timeline *timeline)
{
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		const struct recording *recording = timeline->recordings->pdata[i];

		if (recording->damaged || recording->missing)
			complain("%s: %" PRIu64 " places of %u bytes are damaged, %" PRIu64 " are cut off",
			         recording->path, recording->damaged, HC_SLOT_SIZE, recording->missing);
		if (recording->unwritten)
			complain("%s: %" PRIu64 " places of %u bytes were never filled (a killed writer)",
			         recording->path, recording->unwritten, HC_SLOT_SIZE);
		if (recording_lost(recording))
			complain("%s: %" PRIu64 " events could not be recorded", recording->path,
			         recording_lost(recording));
		if (recording->unknown)
			complain("%s: %" PRIu64 " events are of a kind that this halfclose does not know",
			         recording->path, recording->unknown);
	}
}

int log_command(const struct command *command, int argc, char **argv)
{
	struct event_printer printer;
	struct timeline *timeline;
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (argc < 2) {
		complain("log: which recording? See 'halfclose help log'");
		return STATUS_USAGE;
	}
	timeline = timeline_open(argv + 1);
	status = timeline->problems ? STATUS_FAILED : STATUS_OK;
	printer.processes = processes_new();
	timeline->early = processes_module_event;
	timeline->early_data = printer.processes;
	printer.connections = connections_new(printer.processes, ignore_judged, NULL);
	printer.stacks = stacks_new();
	if (timeline->recordings->len) {
		if (follow)
			print_growing(&printer, timeline);
		else
			print_all(&printer, timeline);
		tell_damage(timeline);
	}
	connections_free(printer.connections);
	processes_free(printer.processes);
	stacks_free(printer.stacks);
	timeline_free(timeline);
	return status;
}

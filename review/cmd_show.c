#include <string.h>

#include "command.h"
#include "recording.h"
#include "say.h"
#include "show.h"
#include "sites.h"
#include "timeline.h"

#define LISTED 20

static gboolean as_json, with_cure;
static gint lines = LISTED;

static const GOptionEntry entries[] = {
	{ "cured", 'c', 0, G_OPTION_ARG_NONE, &with_cure, "also the same connection with a graceful close", NULL },
	{ "lines", 'n', 0, G_OPTION_ARG_INT, &lines, "how many are listed where no SOCK is given (20)", "NUMBER" },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one JSON object, for programs", NULL },
	{ 0 },
};

const GOptionEntry *show_options(void)
{
	return entries;
}

/* One reading of all files. */
struct reading {
	unsigned wanted; /* 0: all, listed */
	struct connection *found;
	struct worst worst;
	struct processes *processes;
	struct connections *connections;
	struct timeline *timeline;
	struct symbols *symbols;
};

/* ---- which one, or which ones ---- */

/* "12", "#12"; 0: it is no number of a connection. */
static unsigned sock_number(const char *text)
{
	guint64 number;

	text += *text == '#';
	return g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32, &number, NULL) ? (unsigned)number : 0;
}

struct harm show_harm(const struct connection *connection)
{
	struct harm harm = { 0 };

	for (const struct rule *rule = rules; connection->close && rule->id; rule++) {
		if (!rule->applies(connection) || (harm.rule && harm.rule->severity <= rule->severity))
			continue;
		harm.rule = rule;
		harm.bytes = rule->bytes ? rule->bytes(connection) : 0;
	}
	return harm;
}

static bool is_worse(const struct connection *a, const struct connection *b)
{
	struct harm left = show_harm(a), right = show_harm(b);
	unsigned one = left.rule ? left.rule->severity : SEVERITIES,
		 another = right.rule ? right.rule->severity : SEVERITIES;

	if (one != another)
		return one < another;
	if (left.bytes != right.bytes)
		return left.bytes > right.bytes;
	return a->number < b->number;
}

/* A list that stays short: from its end to the place of the new one. */
static void add_to_worst(struct worst *worst, const struct connection *connection)
{
	guint place = worst->list->len;

	worst->count++;
	while (place && is_worse(connection, worst->list->pdata[place - 1]))
		place--;
	if (place == worst->most)
		return;
	g_ptr_array_insert(worst->list, (gint)place, connection_copy(connection));
	if (worst->list->len > worst->most)
		g_ptr_array_set_size(worst->list, (gint)worst->most);
}

static void judged(struct connection *connection, void *data)
{
	struct reading *reading = data;

	if (reading->wanted) {
		if (connection->number == reading->wanted && !reading->found)
			reading->found = connection_copy(connection);
	} else if (connection_is_one(connection) || show_harm(connection).rule) {
		add_to_worst(&reading->worst, connection);
	}
}

static void read_all(struct reading *reading, char *const *paths)
{
	struct event *event;

	reading->timeline = timeline_open(paths);
	reading->processes = processes_new();
	reading->symbols = symbols_new();
	reading->timeline->early = processes_module_event;
	reading->timeline->early_data = reading->processes;
	reading->connections = connections_new(reading->processes, judged, reading);
	reading->worst.list = g_ptr_array_new_with_free_func((GDestroyNotify)connection_copy_free);
	reading->worst.most = (unsigned)MAX(lines, 1);
	progress_begin(&reading->timeline->progress, NULL);
	while ((event = timeline_next(reading->timeline, UINT64_MAX))) {
		processes_event(reading->processes, event);
		connections_event(reading->connections, event);
		g_free(event);
	}
	progress_end(&reading->timeline->progress);
	connections_finish(reading->connections);
}

static void forget_all(struct reading *reading)
{
	connection_copy_free(reading->found);
	g_ptr_array_unref(reading->worst.list);
	connections_free(reading->connections);
	symbols_free(reading->symbols);
	processes_free(reading->processes);
	timeline_free(reading->timeline);
}

/* ---- writing ---- */

static void write_one(const struct reading *reading)
{
	struct shown shown = { .connection = reading->found };

	if (shown.connection->close) {
		shown.site = symbols_stack(reading->symbols, reading->processes, shown.connection->close);
		site_fold(shown.site);
		shown.place = site_place(shown.site);
	} else {
		shown.site = g_array_new(FALSE, FALSE, sizeof(struct frame));
	}
	shown.ladder = ladder_of(shown.connection);
	shown.cured = ladder_cured(shown.connection);
	if (as_json)
		show_one_json(&shown, stdout);
	else
		show_one_text(&shown, with_cure, stdout);
	ladder_free(shown.ladder);
	ladder_free(shown.cured);
	g_free(shown.place);
	g_array_unref(shown.site);
}

/* False: there is none of that number. */
static bool write_all(const struct reading *reading)
{
	if (!reading->wanted) {
		(as_json ? show_list_json : show_list_text)(&reading->worst, stdout);
		return true;
	}
	if (reading->found) {
		write_one(reading);
		return true;
	}
	if (!reading->connections->last_number)
		complain("show: there is no connection #%u: none was recorded", reading->wanted);
	else
		complain("show: there is no connection #%u; they have the numbers 1 to %u", reading->wanted,
		         reading->connections->last_number);
	return false;
}

int show_command(const struct command *command, int argc, char **argv)
{
	struct reading reading = { 0 };
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (argc > 2 && (reading.wanted = sock_number(argv[argc - 1])))
		argv[--argc] = NULL;
	if (argc < 2) {
		complain("show: which recording? See 'halfclose help show'");
		return STATUS_USAGE;
	}
	if (lines < 1) {
		complain("show: --lines wants a number from 1 up");
		return STATUS_USAGE;
	}
	read_all(&reading, argv + 1);
	status = reading.timeline->problems ? STATUS_FAILED : STATUS_OK;
	if (reading.timeline->recordings->len && !write_all(&reading))
		status = STATUS_FAILED;
	timeline_tell_damage(reading.timeline);
	forget_all(&reading);
	return status;
}

/* Reads recordings into a report, and drives the format that writes it. */
#include "report.h"

#include <string.h>
#include <sys/socket.h>

#include "terminal.h"

static const struct report_format *const formats[] = {
	&report_text,        &report_json,       &report_html,         &report_summary,        &report_csv,
	&report_sarif,       &report_trace,      &report_folded,       &report_folded_unacked, &report_folded_count,
	&report_openmetrics, &report_prometheus, &report_suppressions,
};

const struct report_format *report_format_named(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const char **report_format_names(void)
{
	const char **names = g_new0(const char *, G_N_ELEMENTS(formats) + 1);

	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
		names[i] = formats[i]->name;
	return names;
}

static void count_up(GHashTable *table, unsigned key)
{
	gpointer name = GUINT_TO_POINTER(key);
	unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(table, name));

	g_hash_table_insert(table, name, GUINT_TO_POINTER(count + 1));
}

static bool is_reset(enum teardown teardown)
{
	return teardown == TEARDOWN_reset_by_peer || teardown == TEARDOWN_reset_unread ||
	       teardown == TEARDOWN_reset_linger;
}

bool leaves_time_wait(const struct connection *connection)
{
	const struct connection *other = connection->other;

	if (connection->local.family != AF_INET && connection->local.family != AF_INET6)
		return false;
	if (connection->teardown == TEARDOWN_half_close_cut)
		return other && other->teardown == TEARDOWN_passive;
	if (connection->teardown != TEARDOWN_active && connection->teardown != TEARDOWN_half_close)
		return false;
	return !other || !is_reset(other->teardown);
}

static void count_time_wait(struct time_wait *time_wait, const struct connection *connection)
{
	if (connection->accepted) {
		time_wait->accepted++;
		count_up(time_wait->ports, connection->local.port);
	} else {
		time_wait->connected++;
	}
}

static void found(const struct finding *finding, const struct connection *connection, uint64_t bytes, void *data)
{
	struct report *report = data;

	report->format->found(report, finding, connection, bytes);
}

static void judged(struct connection *connection, void *data)
{
	struct report *report = data;
	const struct connection *other = connection->other;

	findings_add(report->findings, connection);
	if (!connection_is_one(connection))
		return;
	report->count++;
	report->teardowns[connection->teardown]++;
	if (connection->close) {
		add_up(&report->unread_bytes, known_or_zero(connection->close->close.unread));
		if (connection->teardown == TEARDOWN_reset_unread || connection->teardown == TEARDOWN_reset_linger)
			add_up(&report->unacked_bytes, known_or_zero(connection->close->close.unacked));
	} else {
		count_up(report->open_by_pid, connection->pid);
	}
	if (other && connection->number < other->number && connection_is_one(other)) {
		report->conversations++;
		report->pairs[MIN(connection->teardown, other->teardown)][MAX(connection->teardown, other->teardown)]++;
	}
	if (leaves_time_wait(connection))
		count_time_wait(&report->time_wait, connection);
	if (report->format->connection)
		report->format->connection(report, connection);
}

static void count_drain(struct report *report, const struct event *event)
{
	uint64_t saved = known_or_zero(event->drain.saved);

	report->drains[drain_result(event)]++;
	add_up(&report->drained_bytes, known_or_zero(event->drain.drained));
	report->saved += saved != 0;
	add_up(&report->saved_bytes, saved);
}

uint64_t report_drains(const struct report *report)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < HC_RESULTS; i++)
		count += report->drains[i];
	return count;
}

static void read_all(struct report *report)
{
	struct event *event;

	while ((event = timeline_next(report->timeline, UINT64_MAX))) {
		if (!report->events++)
			report->first = event->order;
		report->last = MAX(report->last, event->order);
		processes_event(report->processes, event);
		connections_event(report->connections, event);
		if (event->kind == HC_EVENT_drain)
			count_drain(report, event);
		g_free(event);
	}
	connections_finish(report->connections);
	findings_sort(report->findings);
}

struct report *report_read(char *const *paths, const struct report_format *format, FILE *out)
{
	return report_read_with(paths, &(struct report_settings){ .format = format }, out);
}

struct report *report_read_with(char *const *paths, const struct report_settings *settings, FILE *out)
{
	struct report *report = g_new0(struct report, 1);

	report->format = settings->format;
	report->source_root = settings->source_root;
	report->out = out;
	report->colour = terminal_colour(out);
	report->timeline = timeline_open(paths);
	report->processes = processes_new();
	report->timeline->early = processes_module_event;
	report->timeline->early_data = report->processes;
	report->findings = findings_new(report->processes);
	report->findings->suppressions = settings->suppressions;
	report->findings->found = settings->format->found ? found : NULL;
	report->findings->found_data = report;
	report->connections = connections_new(report->processes, judged, report);
	report->time_wait.ports = g_hash_table_new(NULL, NULL);
	report->open_by_pid = g_hash_table_new(NULL, NULL);
	progress_begin(&report->timeline->progress, report->format->connection ? report->out : NULL);
	if (report->format->begin && report->timeline->recordings->len)
		report->format->begin(report);
	read_all(report);
	return report;
}

void report_write(struct report *report)
{
	const struct report_format *format = report->format;

	if (format->summary)
		format->summary(report);
	for (unsigned i = 0; format->finding && i < report->findings->list->len; i++)
		format->finding(report, report->findings->list->pdata[i]);
	if (format->end)
		format->end(report);
}

void report_free(struct report *report)
{
	connections_free(report->connections);
	findings_free(report->findings);
	processes_free(report->processes);
	timeline_free(report->timeline);
	g_hash_table_unref(report->time_wait.ports);
	g_hash_table_unref(report->open_by_pid);
	g_free(report);
}

unsigned report_open_of(const struct report *report, unsigned pid)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(report->open_by_pid, GUINT_TO_POINTER(pid)));
}

static uint64_t sum(const struct report *report, uint64_t (*of)(const struct recording *))
{
	uint64_t total = 0;

	for (unsigned i = 0; i < report->timeline->recordings->len; i++)
		total += of(report->timeline->recordings->pdata[i]);
	return total;
}

static uint64_t damaged_of(const struct recording *recording)
{
	return recording->damaged + recording->missing;
}

static uint64_t unwritten_of(const struct recording *recording)
{
	return recording->unwritten;
}

static uint64_t unknown_of(const struct recording *recording)
{
	return recording->unknown;
}

uint64_t report_lost(const struct report *report)
{
	return sum(report, recording_lost);
}

uint64_t report_damaged(const struct report *report)
{
	return sum(report, damaged_of);
}

uint64_t report_unwritten(const struct report *report)
{
	return sum(report, unwritten_of);
}

uint64_t report_unknown(const struct report *report)
{
	return sum(report, unknown_of);
}

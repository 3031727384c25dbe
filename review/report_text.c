/* The report for people: 80 columns, colour on a terminal only. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "paragraph.h"
#include "recording.h"
#include "say.h"
#include "terminal.h"

#define SUMMARY_FINDINGS 5u /* so that the summary has at most 25 lines, with what `run` adds */
#define TIME_WAIT_PORTS 10u

static const char *colour_of(const struct report *report, enum severity severity)
{
	return report->colour ? terminal_severity(severity) : "";
}

static const char *plain(const struct report *report)
{
	return report->colour ? "\033[0m" : "";
}

static const char *bold(const struct report *report)
{
	return report->colour ? "\033[1m" : "";
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- summary ---- */

static void head(struct report *report)
{
	char *connections = say_plural(report->count, "connection", "connections");
	char *processes = say_plural(report->processes->count, "process", "processes");
	char *closes = say_plural(report->connections->closes, "close", "closes");

	fprintf(report->out, "%shalfclose: %s of %s, %s, in %.1f s%s\n", bold(report), connections, processes, closes,
	        (double)(report->last - report->first) / 1e9, plain(report));
	g_free(connections);
	g_free(processes);
	g_free(closes);
}

static void count_line(struct report *report, uint64_t count, const char *text)
{
	char *number = say_count(count);

	if (count)
		fprintf(report->out, "%9s %s\n", number, text);
	g_free(number);
}

static void unread_line(struct report *report)
{
	const uint64_t *ends = report->teardowns;
	char *unread = say_plural(report->unread_bytes, "byte", "bytes");
	char *unacked = say_plural(report->unacked_bytes, "byte", "bytes");

	count_line(report, ends[TEARDOWN_reset_unread], "reset: closed with input unread");
	count_line(report, ends[TEARDOWN_reset_linger], "reset: closed with SO_LINGER 0");
	if (ends[TEARDOWN_reset_unread] || ends[TEARDOWN_reset_linger]) {
		fprintf(report->out, "          %s unread;\n", unread);
		fprintf(report->out, "          %s of ours not yet acknowledged, thrown away\n", unacked);
	}
	g_free(unread);
	g_free(unacked);
}

/* What a graceful close was good for, and where it was cut short. */
static void drain_lines(struct report *report)
{
	uint64_t made = report->connections->outcomes[HC_OUTCOME_drain], ended = report_drains(report);
	uint64_t cut = report->drains[HC_RESULT_timeout] + report->drains[HC_RESULT_limit];
	char *bytes = say_plural(report->saved_bytes, "byte", "bytes"),
	     *saved = say_plural(report->saved, "answer", "answers");

	count_line(report, report->teardowns[TEARDOWN_drained], "made graceful");
	if (report->saved)
		fprintf(report->out, "          %s saved: %s acknowledged after the close\n", saved, bytes);
	g_free(saved);
	saved = say_count(cut);
	if (cut)
		fprintf(report->out, "          %s cut short by limits of time, bytes or sockets\n", saved);
	g_free(saved);
	saved = say_count(made > ended ? made - ended : 0);
	if (made > ended)
		fprintf(report->out, "          %s under way still, or their end could not be recorded\n", saved);
	g_free(saved);
	g_free(bytes);
}

static void damage_lines(struct report *report)
{
	static const struct {
		uint64_t (*count)(const struct report *);
		const char *text;
	} kinds[] = {
		{ report_lost, "events could not be recorded (no space, or HALFCLOSE_LOG_MAX)" },
		{ report_damaged, "places of 32 bytes in the recording are damaged or cut off" },
		{ report_unknown, "events are of a kind that came after this halfclose" },
		{ report_unwritten, "places of 32 bytes were never filled (a killed writer)" },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		count_line(report, kinds[i].count(report), kinds[i].text);
}

/* "": nothing was. */
static char *suppressed_text(const struct report *report)
{
	const struct suppressions *suppressions = report->findings->suppressions;
	char *times, *text;

	if (!suppressions || !suppressions->used)
		return g_strdup("");
	times = say_plural(suppressions->used, "time", "times");
	text = g_strdup_printf("; %s one was suppressed", times);
	g_free(times);
	return text;
}

static void finding_lines(struct report *report)
{
	const GPtrArray *list = report->findings->list;
	char *suppressed = suppressed_text(report);

	if (!list->len)
		fprintf(report->out, "%s%s.\n", report->count ? "No findings" : "No connection was recorded",
		        suppressed);
	else
		fprintf(report->out, "Findings (%u%s):\n", list->len, suppressed);
	g_free(suppressed);
	for (unsigned i = 0; i < list->len && i < SUMMARY_FINDINGS; i++) {
		const struct finding *finding = list->pdata[i];
		char *count = say_count(finding->count), *line, *safe;

		line = g_strdup_printf("%-14s %s x in %s at %s", finding->rule->id, count, base_name(finding->program),
		                       finding->place);
		safe = paragraph_cut(line, 70);
		fprintf(report->out, "  %s%-7s%s %s\n", colour_of(report, finding->rule->severity),
		        severity_name(finding->rule->severity), plain(report), safe);
		g_free(safe);
		g_free(line);
		g_free(count);
	}
	if (list->len > SUMMARY_FINDINGS)
		fprintf(report->out, "  and %u more\n", list->len - SUMMARY_FINDINGS);
}

static void summary(struct report *report)
{
	const uint64_t *ends = report->teardowns;

	head(report);
	unread_line(report);
	count_line(report, report->connections->outcomes[HC_OUTCOME_backlog],
	           "of the listeners: closed while connections waited in the queue");
	count_line(report, ends[TEARDOWN_half_close] + ends[TEARDOWN_passive], "ended with nothing lost");
	count_line(report, ends[TEARDOWN_active] + ends[TEARDOWN_half_close_cut],
	           "closed by this side before the peer had ended");
	drain_lines(report);
	count_line(report, ends[TEARDOWN_reset_by_peer], "reset by the peer");
	count_line(report, ends[TEARDOWN_open], "never closed in this recording");
	count_line(report, ends[TEARDOWN_unknown], "ended in a sandbox, how is not known");
	damage_lines(report);
	finding_lines(report);
}

/* ---- findings ---- */

static void paragraph(struct report *report, const char *label, const char *text)
{
	char *wrapped = paragraph_wrap(label, text, 80);

	fputs(wrapped, report->out);
	g_free(wrapped);
}

static char *what_was_lost(const struct finding *finding)
{
	char *unread = say_plural(finding->unread, "byte", "bytes");
	char *bytes = say_plural(finding->bytes, "byte", "bytes");
	char *text = NULL;

	if (finding->waiting)
		text = say_plural(finding->waiting, "waiting connection was reset", "waiting connections were reset");
	else if (finding->unread)
		text = g_strdup_printf("%s unread; %s %s", unread, bytes,
		                       finding->rule->lost ? finding->rule->lost : "lost");
	else if (finding->bytes)
		text = g_strdup_printf("%s %s", bytes, finding->rule->lost);
	g_free(unread);
	g_free(bytes);
	return text;
}

static void known_number(GString *text, const char *name, uint64_t value)
{
	char *number;

	if (!known64(value))
		return;
	number = say_count(value);
	g_string_append_printf(text, ", %s %s", name, number);
	g_free(number);
}

static char *example_text(const struct example *example)
{
	const struct connection *connection = example->connection;
	const struct event *event = connection->close;
	const char *how = value_name(FIELD_how, event->close.how), *state = value_name(FIELD_state, event->close.state);
	GString *text = g_string_new(NULL);
	char *time = say_time(recording_realtime(event->recording, event->record.t));
	char *local = connection_local(connection), *peer = connection_peer(connection);
	uint64_t received = example_received(example);

	g_string_append_printf(text, "%.19sZ, pid %u fd %d #%u, %s", time, event->record.pid, event->close.socket.fd,
	                       connection->number, local ? local : "-");
	if (peer)
		g_string_append_printf(text, " to %s", peer);
	if (state)
		g_string_append_printf(text, ", %s", state);
	if (how)
		g_string_append_printf(text, ", by %s", how);
	known_number(text, "unread", event->close.unread);
	known_number(text, "unacked", event->close.unacked);
	known_number(text, "sent", event->close.sent);
	known_number(text, "of which the recorded peer's side received", received);
	g_free(local);
	g_free(peer);
	g_free(time);
	return g_string_free(text, FALSE);
}

static void site_lines(struct report *report, const GArray *site)
{
	for (unsigned i = 1; i < site->len && i < 6; i++) {
		char *frame = paragraph_frame(&g_array_index(site, struct frame, i));

		paragraph(report, "       ", frame);
		g_free(frame);
	}
}

static void write_finding(struct report *report, const struct finding *finding)
{
	char *lost = what_was_lost(finding), *example = example_text(&finding->example);
	char *count = say_plural(finding->count, "time", "times");
	char *program = say_text(finding->program, strlen(finding->program));
	enum severity severity = finding->rule->severity;

	fprintf(report->out, "\n%s%s: %s%s\n", colour_of(report, severity), severity_name(severity),
	        finding->rule->title, plain(report));
	fprintf(report->out, "  %s, %s\n", finding->rule->id, count);
	paragraph(report, "  in   ", *program ? program : "a program whose start was not recorded");
	paragraph(report, "  at   ", finding->place);
	site_lines(report, finding->site);
	if (lost)
		paragraph(report, "  lost ", lost);
	paragraph(report, "  e.g. ", example);
	paragraph(report, "  what ", finding->rule->means);
	paragraph(report, "  peer ", finding->rule->peer);
	paragraph(report, "  cure ", finding->rule->advice);
	g_free(lost);
	g_free(example);
	g_free(count);
	g_free(program);
}

/* ---- how they ended ---- */

static void teardown_table(struct report *report)
{
	fputs("\nHow the connections ended, from the recorded side:\n", report->out);
	for (unsigned i = 0; i < TEARDOWNS; i++) {
		char *count = say_count(report->teardowns[i]);

		if (report->teardowns[i])
			fprintf(report->out, "%9s %-15s%s\n", count, teardown_name(i), teardown_meaning(i));
		g_free(count);
	}
}

static void conversation_table(struct report *report)
{
	if (!report->conversations)
		return;
	fputs("\nConversations of which both ends were recorded:\n", report->out);
	for (unsigned a = 0; a < TEARDOWNS; a++)
		for (unsigned b = a; b < TEARDOWNS; b++)
			if (report->pairs[a][b])
				fprintf(report->out, "%9" PRIu64 " one end %s, the other %s\n", report->pairs[a][b],
				        teardown_name(a), teardown_name(b));
}

static int by_port(gconstpointer a, gconstpointer b)
{
	return GPOINTER_TO_INT(a) - GPOINTER_TO_INT(b);
}

static void time_wait_table(struct report *report)
{
	const struct time_wait *time_wait = &report->time_wait;
	GList *ports = g_list_sort(g_hash_table_get_keys(time_wait->ports), by_port);
	unsigned shown = 0;

	if (time_wait->accepted || time_wait->connected)
		fputs("\nLeft with TIME-WAIT (this side ended first):\n", report->out);
	for (GList *port = ports; port && shown < TIME_WAIT_PORTS; port = port->next, shown++)
		fprintf(report->out, "%9u on local port %u\n",
		        GPOINTER_TO_UINT(g_hash_table_lookup(time_wait->ports, port->data)),
		        GPOINTER_TO_UINT(port->data));
	if (g_hash_table_size(time_wait->ports) > shown)
		fprintf(report->out, "          and on %u more ports\n", g_hash_table_size(time_wait->ports) - shown);
	count_line(report, time_wait->connected, "on a port of its own, where this side had connected");
	g_list_free(ports);
}

static void suppression_table(struct report *report)
{
	const struct suppressions *suppressions = report->findings->suppressions;

	if (!suppressions || !suppressions->used)
		return;
	fputs("\nSuppressed findings, by:\n", report->out);
	for (unsigned i = 0; i < suppressions->list->len; i++) {
		const struct suppression *suppression = suppressions->list->pdata[i];
		char *count = say_count(suppression->used), *name = paragraph_cut(suppression->name, 70);

		if (suppression->used)
			fprintf(report->out, "%9s %s\n", count, name);
		g_free(count);
		g_free(name);
	}
}

static void end(struct report *report)
{
	if (report->count)
		teardown_table(report);
	conversation_table(report);
	time_wait_table(report);
	suppression_table(report);
}

const struct report_format report_text = {
	.name = "text",
	.meaning = "for people (the default)",
	.summary = summary,
	.finding = write_finding,
	.end = end,
};

const struct report_format report_summary = {
	.name = "summary",
	.meaning = "what the text begins with: at most 25 lines",
	.summary = summary,
};

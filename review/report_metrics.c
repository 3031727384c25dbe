/*
 * Counters for a monitoring system, in two dialects: OpenMetrics 1.0, and the older
 * text format of Prometheus (0.0.4), which is what node_exporter's textfile collector
 * reads. They differ in what a counter's family is called, and in UNIT and EOF.
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "say.h"

enum kind { COUNTER, GAUGE };

static bool is_open(const struct report *report)
{
	return report->format == &report_openmetrics;
}

static const char *suffix_of(enum kind kind)
{
	return kind == COUNTER ? "_total" : "";
}

/* unit: what the name ends with, or "". */
static void family(struct report *report, enum kind kind, const char *name, const char *unit, const char *help)
{
	static const char *const types[] = { [COUNTER] = "counter", [GAUGE] = "gauge" };
	const char *suffix = is_open(report) ? "" : suffix_of(kind);

	fprintf(report->out, "# HELP halfclose_%s%s %s\n", name, suffix, help);
	fprintf(report->out, "# TYPE halfclose_%s%s %s\n", name, suffix, types[kind]);
	if (is_open(report) && *unit)
		fprintf(report->out, "# UNIT halfclose_%s %s\n", name, unit);
}

static void label_text(GString *labels, const char *name, const char *value)
{
	char *safe = say_text(value, strlen(value));

	g_string_append_printf(labels, "%s%s=\"", labels->len ? "," : "", name);
	for (const char *at = safe; *at; at++)
		g_string_append_printf(labels, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
	g_string_append_c(labels, '"');
	g_free(safe);
}

static void sample(struct report *report, enum kind kind, const char *name, const char *label, const char *value,
                   uint64_t number)
{
	GString *labels = g_string_new(NULL);

	label_text(labels, label, value);
	fprintf(report->out, "halfclose_%s%s{%s} %" PRIu64 "\n", name, suffix_of(kind), labels->str, number);
	g_string_free(labels, TRUE);
}

static void single(struct report *report, enum kind kind, const char *name, const char *unit, const char *help,
                   uint64_t number)
{
	family(report, kind, name, unit, help);
	fprintf(report->out, "halfclose_%s%s %" PRIu64 "\n", name, suffix_of(kind), number);
}

static void seconds(struct report *report, const char *name, const char *help, uint64_t ns)
{
	family(report, GAUGE, name, "seconds", help);
	fprintf(report->out, "halfclose_%s %" PRIu64 ".%09" PRIu64 "\n", name, ns / 1000000000u, ns % 1000000000u);
}

static void ends(struct report *report)
{
	family(report, COUNTER, "connections", "", "Connections, by how the recorded side ended them.");
	for (unsigned i = 0; i < TEARDOWNS; i++)
		sample(report, COUNTER, "connections", "teardown", teardown_name(i), report->teardowns[i]);
	family(report, COUNTER, "closes", "", "Ends of descriptors, by what became of the connection.");
	for (unsigned i = 0; i < HC_OUTCOMES; i++)
		sample(report, COUNTER, "closes", "outcome", value_name(FIELD_outcome, i),
		       report->connections->outcomes[i]);
	single(report, COUNTER, "unread_bytes", "bytes", "Received, and closed before the program read them.",
	       report->unread_bytes);
	single(report, COUNTER, "discarded_bytes", "bytes",
	       "Written, not yet acknowledged by the peer, and thrown away by a reset.", report->unacked_bytes);
}

static void drains(struct report *report)
{
	family(report, COUNTER, "drains", "", "Graceful closes, by how the drain ended.");
	for (unsigned i = 0; i < HC_RESULTS; i++)
		sample(report, COUNTER, "drains", "result", drain_name(i), report->drains[i]);
	single(report, COUNTER, "drained_bytes", "bytes", "Read and discarded in graceful closes.",
	       report->drained_bytes);
	single(report, COUNTER, "saved_answers", "", "Graceful closes after which the peer acknowledged more.",
	       report->saved);
	single(report, COUNTER, "saved_bytes", "bytes", "Acknowledged by the peer after a graceful close.",
	       report->saved_bytes);
}

static void time_wait(struct report *report)
{
	char port_text[8];

	family(report, COUNTER, "time_wait", "", "Connections that left a listener's port in TIME-WAIT, by port.");
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		gpointer count = g_hash_table_lookup(report->time_wait.ports, GUINT_TO_POINTER(port));

		snprintf(port_text, sizeof(port_text), "%u", port);
		if (count)
			sample(report, COUNTER, "time_wait", "port", port_text, GPOINTER_TO_UINT(count));
	}
	single(report, COUNTER, "time_wait_connected", "",
	       "Connections that left a connecting side's port in TIME-WAIT.", report->time_wait.connected);
}

static char *labels_of(const struct finding *finding)
{
	GString *labels = g_string_new(NULL);
	char *name = g_strdup_printf("%s:%u", finding->fingerprint, finding->ordinal);

	label_text(labels, "rule", finding->rule->id);
	label_text(labels, "severity", severity_name(finding->rule->severity));
	label_text(labels, "program", finding->program);
	label_text(labels, "place", finding->place);
	label_text(labels, "fingerprint", name); /* without it two could be labelled alike */
	g_free(name);
	return g_string_free(labels, FALSE);
}

static void findings(struct report *report)
{
	const GPtrArray *list = report->findings->list;

	for (unsigned bytes = 0; bytes <= 1; bytes++) {
		const char *name = bytes ? "finding_lost_bytes" : "findings";

		if (bytes)
			family(report, COUNTER, name, "bytes", "What was lost by it.");
		else
			family(report, COUNTER, name, "", "How often something was found at a call site.");
		for (unsigned i = 0; i < list->len; i++) {
			const struct finding *finding = list->pdata[i];
			char *labels = labels_of(finding);

			fprintf(report->out, "halfclose_%s_total{%s} %" PRIu64 "\n", name, labels,
			        bytes ? finding->bytes : finding->count);
			g_free(labels);
		}
	}
}

static void recording(struct report *report)
{
	single(report, GAUGE, "processes", "", "Processes in the recording.", report->processes->count);
	single(report, COUNTER, "lost_events", "", "Events that could not be recorded.", report_lost(report));
	single(report, COUNTER, "damaged_places", "", "Places of 32 bytes in the recording that can't be read.",
	       report_damaged(report) + report_unwritten(report));
	single(report, COUNTER, "unknown_events", "", "Events of a kind that came after this halfclose.",
	       report_unknown(report));
	if (!report->events)
		return;
	seconds(report, "first_event_timestamp_seconds", "When the first event was recorded.", report->first);
	seconds(report, "last_event_timestamp_seconds", "When the last event was recorded.", report->last);
}

static void summary(struct report *report)
{
	ends(report);
	drains(report);
	time_wait(report);
	findings(report);
	recording(report);
	if (is_open(report))
		fputs("# EOF\n", report->out);
}

const struct report_format report_openmetrics = {
	.name = "openmetrics",
	.meaning = "counters for a monitoring system (OpenMetrics 1.0)",
	.summary = summary,
};

const struct report_format report_prometheus = {
	.name = "prometheus",
	.meaning = "the same as node_exporter's textfile collector reads it",
	.summary = summary,
};

/* The report as one JSON object; REPORT.md's schema 1. Keys may be added at any time. */
#include "report.h"

#include "frame_json.h"
#include "recording.h"
#include "say.h"

static struct json *json_of(struct report *report)
{
	return report->state;
}

static void known_number(struct json *json, const char *key, uint64_t value)
{
	if (known64(value))
		json_number(json, key, value);
}

static void write_example(struct json *json, const struct example *example)
{
	const struct event *event = example->connection->close;
	char *time = say_time(recording_realtime(event->recording, event->record.t));
	char *local = connection_local(example->connection), *peer = connection_peer(example->connection);

	json_object(json, "example");
	json_string(json, "time", time);
	json_number(json, "pid", event->record.pid);
	if (event->close.socket.fd >= 0)
		json_number(json, "fd", (uint64_t)event->close.socket.fd);
	json_number(json, "sock", example->connection->number);
	json_string(json, "local", local);
	json_string(json, "peer", peer);
	json_string(json, "how", value_name(FIELD_how, event->close.how));
	json_string(json, "state", value_name(FIELD_state, event->close.state));
	known_number(json, "unread", event->close.unread);
	known_number(json, "unacked", event->close.unacked);
	known_number(json, "sent", event->close.sent);
	known_number(json, "peer_received", example_received(example));
	if (event->close.outcome == HC_OUTCOME_backlog && event->close.waiting != UINT32_MAX)
		json_number(json, "waiting", event->close.waiting);
	json_end_object(json);
	g_free(local);
	g_free(peer);
	g_free(time);
}

static void write_outcomes(const struct report *report, struct json *json)
{
	json_object(json, "outcome");
	for (unsigned i = 0; i < HC_OUTCOMES; i++)
		json_number(json, value_name(FIELD_outcome, i), report->connections->outcomes[i]);
	json_end_object(json);
}

static void write_totals(const struct report *report, struct json *json)
{
	json_object(json, "totals");
	json_number(json, "closes", report->connections->closes);
	write_outcomes(report, json);
	json_number(json, "unread_bytes", report->unread_bytes);
	json_number(json, "unacked_bytes", report->unacked_bytes);
	json_object(json, "teardown");
	for (unsigned i = 0; i < TEARDOWNS; i++)
		json_number(json, teardown_name(i), report->teardowns[i]);
	json_end_object(json);
	json_object(json, "drain");
	for (unsigned i = 0; i < HC_RESULTS; i++)
		json_number(json, drain_name(i), report->drains[i]);
	json_end_object(json);
	json_number(json, "drained_bytes", report->drained_bytes);
	json_number(json, "saved", report->saved);
	json_number(json, "saved_bytes", report->saved_bytes);
	json_end_object(json);
}

static void write_conversations(const struct report *report, struct json *json)
{
	json_object(json, "conversations");
	json_number(json, "count", report->conversations);
	json_array(json, "ends");
	for (unsigned a = 0; a < TEARDOWNS; a++) {
		for (unsigned b = a; b < TEARDOWNS; b++) {
			if (!report->pairs[a][b])
				continue;
			json_object(json, NULL);
			json_string(json, "one", teardown_name(a));
			json_string(json, "other", teardown_name(b));
			json_number(json, "count", report->pairs[a][b]);
			json_end_object(json);
		}
	}
	json_end_array(json);
	json_end_object(json);
}

static void write_time_wait(const struct report *report, struct json *json)
{
	json_object(json, "time_wait");
	json_number(json, "accepted", report->time_wait.accepted);
	json_number(json, "connected", report->time_wait.connected);
	json_array(json, "ports");
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		gpointer count = g_hash_table_lookup(report->time_wait.ports, GUINT_TO_POINTER(port));

		if (!count)
			continue;
		json_object(json, NULL);
		json_number(json, "port", port);
		json_number(json, "count", GPOINTER_TO_UINT(count));
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void write_suppressed(const struct suppressions *suppressions, struct json *json)
{
	if (!suppressions)
		return;
	json_number(json, "suppressed", suppressions->used);
	json_array(json, "suppressions");
	for (unsigned i = 0; i < suppressions->list->len; i++) {
		const struct suppression *suppression = suppressions->list->pdata[i];

		json_object(json, NULL);
		json_string(json, "name", suppression->name);
		json_string(json, "file", suppression->path);
		json_number(json, "line", suppression->line);
		json_number(json, "count", suppression->used);
		json_end_object(json);
	}
	json_end_array(json);
}

void report_json_head(const struct report *report, struct json *json)
{
	json_number(json, "schema", REPORT_SCHEMA);
	json_number(json, "processes", report->processes->count);
	json_number(json, "connections", report->count);
	json_number(json, "lost_events", report_lost(report));
	json_number(json, "damaged", report_damaged(report));
	json_number(json, "unwritten", report_unwritten(report));
	write_totals(report, json);
	write_conversations(report, json);
	write_time_wait(report, json);
	write_suppressed(report->findings->suppressions, json);
	json_array(json, "findings");
}

static void summary(struct report *report)
{
	struct json *json = report->state = g_new0(struct json, 1);

	json->text = g_string_new(NULL);
	json->indent = 1;
	json_object(json, NULL);
	report_json_head(report, json);
}

void report_json_finding(struct json *json, const struct finding *finding)
{
	json_string(json, "rule", finding->rule->id);
	json_string(json, "severity", severity_name(finding->rule->severity));
	json_string(json, "title", finding->rule->title);
	json_string(json, "fingerprint", finding->fingerprint);
	json_number(json, "count", finding->count);
	json_number(json, "bytes", finding->bytes);
	json_number(json, "unread", finding->unread);
	if (finding->waiting)
		json_number(json, "waiting", finding->waiting);
	json_string(json, "exe", finding->program);
	json_string(json, "place", finding->place);
	json_frames(json, "site", finding->site);
	write_example(json, &finding->example);
	json_string(json, "advice", finding->rule->advice);
}

static void write_finding(struct report *report, const struct finding *finding)
{
	struct json *json = json_of(report);

	json_object(json, NULL);
	report_json_finding(json, finding);
	json_end_object(json);
}

static void end(struct report *report)
{
	struct json *json = json_of(report);

	json_end_array(json);
	json_end_object(json);
	fprintf(report->out, "%s\n", json->text->str);
	g_string_free(json->text, TRUE);
	g_free(json);
}

const struct report_format report_json = {
	.name = "json",
	.meaning = "one JSON object, for programs",
	.summary = summary,
	.finding = write_finding,
	.end = end,
};

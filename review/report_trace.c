/*
 * The connections on a time line, as Trace Event JSON, which Perfetto and
 * chrome://tracing open. Each process is a track; a connection is a nestable
 * asynchronous slice in it (they overlap as they like), called by its teardown, so
 * that equal ends have one colour; its half-close and its drain are slices within,
 * a reset is an instant. Written as connections are judged: the format asks for no order.
 */
#include "report.h"

#include <string.h>

#include "json.h"
#include "recording.h"
#include "say.h"

#define BOOT_STEP 10000000u /* more than there can be process ids: those of two machines stay apart */

struct trace {
	struct json json;
	GHashTable *named; /* track -> the program's path that it was named by (both not owned) */
};

static void flush(struct report *report, struct trace *trace)
{
	GString *text = trace->json.text;

	fwrite(text->str, 1, text->len, report->out);
	g_string_truncate(text, 0);
}

static unsigned track_of(const struct connection *connection)
{
	return connection->boot * BOOT_STEP + connection->pid;
}

/* On a line of its own. Left open: what more it has, and json_end_object(). */
static void begin_event(struct trace *trace, const char *phase, const char *name, unsigned track)
{
	struct json *json = &trace->json;

	g_string_append_c(json->text, '\n');
	json_object(json, NULL);
	json_string(json, "ph", phase);
	json_string(json, "name", name);
	json_number(json, "pid", track);
	json_number(json, "tid", track);
}

static void name_track(struct report *report, struct trace *trace, const struct connection *connection)
{
	unsigned track = track_of(connection);
	gpointer key = GUINT_TO_POINTER(track), named;
	const struct recording *recording = report->timeline->recordings->pdata[connection->boot];
	char *program, *name;

	if (g_hash_table_lookup_extended(trace->named, key, NULL, &named) && (*(char *)named || !*connection->program))
		return;
	g_hash_table_insert(trace->named, key, (gpointer)connection->program);
	program = g_path_get_basename(*connection->program ? connection->program : "unknown");
	name = connection->boot ? g_strdup_printf("%s %u on %s", program, connection->pid, recording->header.host)
	                        : g_strdup(program);
	begin_event(trace, "M", "process_name", track);
	json_object(&trace->json, "args");
	json_string(&trace->json, "name", name);
	json_end_object(&trace->json);
	json_end_object(&trace->json);
	g_free(name);
	g_free(program);
}

/* Left open for its arguments, as above. */
static void begin_phase(const struct report *report, struct trace *trace, const struct connection *connection,
                        const char *phase, const char *name, uint64_t order)
{
	struct json *json = &trace->json;
	char id[16];

	g_snprintf(id, sizeof(id), "0x%x", connection->number);
	begin_event(trace, phase, name, track_of(connection));
	json_string(json, "cat", "connection");
	json_string(json, "id", id);
	json_decimal(json, "ts", order > report->first ? order - report->first : 0, 3); /* us */
}

static void write_phase(const struct report *report, struct trace *trace, const struct connection *connection,
                        const char *phase, const char *name, uint64_t order)
{
	begin_phase(report, trace, connection, phase, name, order);
	json_end_object(&trace->json);
}

static void known_number(struct json *json, const char *key, uint64_t value)
{
	if (known64(value))
		json_number(json, key, value);
}

static void write_arguments(struct report *report, struct json *json, const struct connection *connection)
{
	const struct hc_close *close = connection->close ? &connection->close->close : NULL;
	char *local = connection_local(connection), *peer = connection_peer(connection);

	json_object(json, "args");
	json_number(json, "sock", connection->number);
	if (connection->fd >= 0)
		json_number(json, "fd", (uint64_t)connection->fd);
	json_string(json, "local", local);
	json_string(json, "peer", peer);
	if (close) {
		json_string(json, "how", value_name(FIELD_how, close->how));
		json_string(json, "state", value_name(FIELD_state, close->state));
		json_string(json, "outcome", value_name(FIELD_outcome, close->outcome));
		known_number(json, "unread", close->unread);
		known_number(json, "unacked", close->unacked);
		known_number(json, "sent", close->sent);
		known_number(json, "received", close->received);
		json_string(json, "place",
		            stacks_site(report->findings->stacks, report->processes, connection->close)->place);
	}
	if (connection->other)
		json_number(json, "other", connection->other->number);
	json_end_object(json);
	g_free(local);
	g_free(peer);
}

static void write_drain(struct report *report, struct trace *trace, const struct connection *connection)
{
	struct json *json = &trace->json;

	write_phase(report, trace, connection, "b", "drain", connection->close->order);
	begin_phase(report, trace, connection, "e", "drain", connection->drain.at);
	json_object(json, "args");
	json_string(json, "result", drain_name(connection->drain.result));
	json_number(json, "drained", connection->drain.drained);
	known_number(json, "saved", connection->drain.saved);
	json_end_object(json);
	json_end_object(json);
}

/* When a reset went out or, at the latest, had come in. */
static const char *reset_name(const struct connection *connection)
{
	switch ((int)connection->teardown) {
	case TEARDOWN_reset_unread:
	case TEARDOWN_reset_linger:
		return "RST sent";
	case TEARDOWN_reset_by_peer:
		return "RST had come";
	default:
		return NULL;
	}
}

static void connection(struct report *report, const struct connection *connection)
{
	struct trace *trace = report->state;
	const char *name = teardown_name(connection->teardown), *reset = reset_name(connection);
	uint64_t closed = connection->close ? connection->close->order : report->last, over = closed;
	bool drained = connection->drain.at > closed && connection->close;

	if (drained)
		over = connection->drain.at;
	name_track(report, trace, connection);
	begin_phase(report, trace, connection, "b", name, MIN(connection->born, closed));
	write_arguments(report, &trace->json, connection);
	json_end_object(&trace->json);
	if (connection->shut_at && connection->shut_at <= closed) {
		write_phase(report, trace, connection, "b", "half-closed", connection->shut_at);
		write_phase(report, trace, connection, "e", "half-closed", closed);
	}
	if (drained)
		write_drain(report, trace, connection);
	if (reset)
		write_phase(report, trace, connection, "n", reset, closed);
	write_phase(report, trace, connection, "e", name, over);
	flush(report, trace);
}

static void begin(struct report *report)
{
	struct trace *trace = report->state = g_new0(struct trace, 1);

	trace->json.text = g_string_new(NULL);
	trace->named = g_hash_table_new(NULL, NULL);
	json_object(&trace->json, NULL);
	json_string(&trace->json, "displayTimeUnit", "ms");
	json_array(&trace->json, "traceEvents");
}

static void end(struct report *report)
{
	struct trace *trace = report->state;
	char *time = say_time(report->first);

	json_end_array(&trace->json);
	json_object(&trace->json, "otherData");
	json_string(&trace->json, "program", "halfclose");
	json_string(&trace->json, "start", report->events ? time : NULL);
	json_number(&trace->json, "lost_events", report_lost(report));
	json_number(&trace->json, "damaged", report_damaged(report));
	json_end_object(&trace->json);
	json_end_object(&trace->json);
	g_string_append_c(trace->json.text, '\n');
	flush(report, trace);
	g_free(time);
	g_string_free(trace->json.text, TRUE);
	g_hash_table_unref(trace->named);
	g_free(trace);
}

const struct report_format report_trace = {
	.name = "trace",
	.meaning = "a time line for Perfetto and chrome://tracing",
	.begin = begin,
	.connection = connection,
	.end = end,
};

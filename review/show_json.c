/* For programs. */
#include <inttypes.h>

#include "json.h"
#include "recording.h"
#include "say.h"
#include "show.h"

static struct json *begin(void)
{
	struct json *json = g_new0(struct json, 1);

	json->text = g_string_new(NULL);
	json->indent = 1;
	json_object(json, NULL);
	json_number(json, "schema", 1);
	return json;
}

static void end(struct json *json, FILE *out)
{
	json_end_object(json);
	fprintf(out, "%s\n", json->text->str);
	g_string_free(json->text, TRUE);
	g_free(json);
}

static void known_number(struct json *json, const char *key, uint64_t value)
{
	if (known64(value))
		json_number(json, key, value);
}

static void write_time(struct json *json, const char *key, uint64_t order)
{
	char *time = order ? say_time(order) : NULL;

	json_string(json, key, time);
	g_free(time);
}

static void write_identity(struct json *json, const struct connection *connection)
{
	char *local = connection_local(connection), *peer = connection_peer(connection);

	json_number(json, "sock", connection->number);
	if (connection_is_one(connection))
		json_string(json, "teardown", teardown_name(connection->teardown));
	json_string(json, "exe", connection->program);
	if (connection->pid)
		json_number(json, "pid", connection->pid);
	json_string(json, "local", local);
	json_string(json, "peer", peer);
	g_free(peer);
	g_free(local);
}

static void write_frames(struct json *json, const GArray *site)
{
	json_array(json, "site");
	for (unsigned i = 0; i < site->len; i++) {
		const struct frame *frame = &g_array_index(site, struct frame, i);

		json_object(json, NULL);
		json_string(json, "function", frame->function);
		json_string(json, "file", frame->file);
		if (frame->line)
			json_number(json, "line", frame->line);
		json_string(json, "module", frame->module);
		json_number(json, "offset", frame->offset);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_close(struct json *json, const struct shown *shown)
{
	const struct event *event = shown->connection->close;
	const struct hc_close *close = &event->close;

	json_object(json, "close");
	write_time(json, "time", event->order);
	json_number(json, "pid", event->record.pid);
	if (close->socket.fd >= 0)
		json_number(json, "fd", (uint64_t)close->socket.fd);
	json_string(json, "how", value_name(FIELD_how, close->how));
	json_string(json, "state", value_name(FIELD_state, close->state));
	json_string(json, "outcome", value_name(FIELD_outcome, close->outcome));
	known_number(json, "unread", close->unread);
	known_number(json, "unacked", close->unacked);
	known_number(json, "sent", close->sent);
	known_number(json, "received", close->received);
	json_string(json, "place", shown->place);
	write_frames(json, shown->site);
	json_end_object(json);
}

static void write_findings(struct json *json, const struct connection *connection)
{
	json_array(json, "findings");
	for (const struct rule *rule = rules; connection->close && rule->id; rule++) {
		if (!rule->applies(connection))
			continue;
		json_object(json, NULL);
		json_string(json, "rule", rule->id);
		json_string(json, "severity", severity_name(rule->severity));
		json_string(json, "title", rule->title);
		json_number(json, "bytes", rule->bytes ? rule->bytes(connection) : 0);
		json_string(json, "means", rule->means);
		json_string(json, "peer", rule->peer);
		json_string(json, "advice", rule->advice);
		json_end_object(json);
	}
	json_end_array(json);
}

static const char *const end_names[] = { "traced", "peer" };

static void write_step(struct json *json, const struct ladder_step *step)
{
	json_object(json, NULL);
	write_time(json, "time", step->order);
	json_string(json, "end", end_names[step->end]);
	json_string(json, "call", step->call);
	json_string(json, "wire", step->wire);
	if (step->arrow != LADDER_NO_ARROW)
		json_string(json, "to", end_names[step->arrow == LADDER_TO_PEER ? LADDER_PEER : LADDER_TRACED]);
	if (step->lost)
		json_bool(json, "lost", TRUE);
	if (step->supposed)
		json_bool(json, "supposed", TRUE);
	if (step->alarming)
		json_bool(json, "alarming", TRUE);
	json_object(json, "states");
	for (unsigned i = 0; i < LADDER_ENDS; i++)
		json_string(json, end_names[i], value_name(FIELD_state, step->states[i]));
	json_end_object(json);
	if (step->buffers[LADDER_TRACED] || step->buffers[LADDER_PEER]) {
		json_object(json, "buffers");
		for (unsigned i = 0; i < LADDER_ENDS; i++)
			json_string(json, end_names[i], step->buffers[i]);
		json_end_object(json);
	}
	json_end_object(json);
}

static void write_ladder(struct json *json, const char *key, const struct ladder *ladder)
{
	if (!ladder)
		return;
	json_object(json, key);
	json_string(json, "client", end_names[ladder->client]);
	json_object(json, "names");
	for (unsigned i = 0; i < LADDER_ENDS; i++)
		json_string(json, end_names[i], ladder->names[i]);
	json_end_object(json);
	json_array(json, "steps");
	for (unsigned i = 0; i < ladder->steps->len; i++)
		write_step(json, &g_array_index(ladder->steps, struct ladder_step, i));
	json_end_array(json);
	json_end_object(json);
}

void show_one_json(const struct shown *shown, FILE *out)
{
	const struct connection *connection = shown->connection;
	struct json *json = begin();

	write_identity(json, connection);
	if (connection_is_one(connection))
		json_string(json, "meaning", teardown_meaning(connection->teardown));
	write_time(json, "start", shown->ladder ? shown->ladder->born : connection->born);
	if (connection->close)
		write_close(json, shown);
	write_findings(json, connection);
	write_ladder(json, "ladder", shown->ladder);
	write_ladder(json, "cured", shown->cured);
	end(json, out);
}

void show_list_json(const struct worst *worst, FILE *out)
{
	struct json *json = begin();

	json_number(json, "count", worst->count);
	json_array(json, "connections");
	for (unsigned i = 0; i < worst->list->len; i++) {
		const struct connection *connection = worst->list->pdata[i];
		struct harm harm = show_harm(connection);

		json_object(json, NULL);
		write_identity(json, connection);
		if (connection->close) {
			known_number(json, "unread", connection->close->close.unread);
			known_number(json, "unacked", connection->close->close.unacked);
		}
		if (harm.rule) {
			json_string(json, "rule", harm.rule->id);
			json_string(json, "severity", severity_name(harm.rule->severity));
			json_number(json, "bytes", harm.bytes);
		}
		json_end_object(json);
	}
	json_end_array(json);
	end(json, out);
}

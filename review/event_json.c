#include <string.h>

#include <inttypes.h>

#include "event_print.h"
#include "frame_json.h"
#include "json.h"
#include "recording.h"
#include "say.h"

static void write_socket(struct json *json, const struct event *event, const struct connection *connection)
{
	const struct hc_socket *socket = &event->common.socket;
	char *local, *peer;

	if (socket->fd >= 0)
		json_number(json, "fd", (uint64_t)socket->fd);
	if (known64(socket->cookie))
		json_number(json, "cookie", socket->cookie);
	json_string(json, "family", say_family(socket->family));
	if (!connection)
		return;
	local = connection_local(connection);
	peer = connection_peer(connection);
	json_number(json, "sock", connection->number);
	json_string(json, "local", local);
	json_string(json, "peer", peer);
	g_free(local);
	g_free(peer);
}

static void write_stack(struct event_printer *printer, struct json *json, const char *key, const struct event *event)
{
	const GArray *frames = stacks_site(printer->stacks, printer->processes, event)->frames;

	if (frames->len)
		json_frames(json, key, frames);
}

static void write_flags(struct json *json, const char *key, uint64_t flags)
{
	json_array(json, key);
	for (unsigned bit = 0; bit < HC_FLAGS; bit++)
		if (flags >> bit & 1)
			json_string(json, NULL, value_name(FIELD_flags, bit));
	json_end_array(json);
}

static void write_number(struct event_printer *printer, struct json *json, const struct event *event,
                         const struct field *field)
{
	uint64_t value;
	unsigned number;
	char *text;

	if (!field_number(event, field, &value))
		return;
	switch (field->type) {
	case FIELD_u32:
	case FIELD_u64:
		json_number(json, field->name, value);
		break;
	case FIELD_id: /* a JSON number would lose digits in most readers */
		text = g_strdup_printf("%016" PRIx64, value);
		json_string(json, field->name, text);
		g_free(text);
		break;
	case FIELD_sock:
		number = connections_number(printer->connections, event->recording, value);
		if (number)
			json_number(json, field->name, number);
		break;
	case FIELD_flags:
		write_flags(json, field->name, value);
		break;
	case FIELD_error:
		text = value ? say_error(value) : NULL;
		if (text)
			json_string(json, field->name, text);
		else
			json_number(json, field->name, 0);
		g_free(text);
		break;
	default:
		json_string(json, field->name, value_name(field->type, value));
	}
}

static void write_field(struct event_printer *printer, struct json *json, const struct event *event,
                        const struct field *field)
{
	const char *bytes;
	size_t size;
	char *text;

	switch (field->type) {
	case FIELD_text:
		bytes = processes_text(printer->processes, event, field, &size);
		if (bytes)
			json_bytes(json, field->name, bytes, size);
		break;
	case FIELD_stack:
		write_stack(printer, json, field->name, event);
		break;
	case FIELD_address:
		text = say_address(field_address(event, field));
		json_string(json, field->name, text);
		g_free(text);
		break;
	case FIELD_build:
		text = say_build_id(field_build(event, field));
		json_string(json, field->name, text);
		g_free(text);
		break;
	default:
		write_number(printer, json, event, field);
	}
}

/* Addresses and paths of a socket are the connection's `local` and `peer`, in all its events. */
static bool is_the_connections(const struct event_kind *kind, const struct field *field)
{
	return kind->socket && (field->type == FIELD_address || !strcmp(field->name, "path"));
}

void event_to_json(struct event_printer *printer, const struct event *event, const struct connection *connection,
                   GString *line)
{
	const struct event_kind *kind = event_kind(event->kind);
	const char *host = event->recording->header.host;
	struct json json = { .text = line };
	char *time = say_time(recording_realtime(event->recording, event->record.t));

	json_object(&json, NULL);
	json_string(&json, "event", kind->name);
	json_number(&json, "t", event->record.t);
	json_string(&json, "time", time);
	json_number(&json, "pid", event->record.pid);
	if (event->record.tid != UINT32_MAX)
		json_number(&json, "tid", event->record.tid);
	if (event->kind == HC_EVENT_process && *host)
		json_string(&json, "host", host);
	if (kind->socket)
		write_socket(&json, event, connection);
	for (const struct field *field = kind->fields; field->name; field++)
		if (!is_the_connections(kind, field))
			write_field(printer, &json, event, field);
	json_end_object(&json);
	g_string_append_c(line, '\n');
	g_free(time);
}

#include <inttypes.h>
#include <string.h>

#include "event_print.h"
#include "recording.h"
#include "say.h"

static void add(GString *line, const char *name, const char *text)
{
	g_string_append_printf(line, " %s=%s", name, text && *text ? text : "-");
}

static void add_and_free(GString *line, const char *name, char *text)
{
	add(line, name, text);
	g_free(text);
}

static void add_flags(GString *line, const char *name, uint64_t flags)
{
	GString *text = g_string_new(NULL);

	for (unsigned bit = 0; bit < HC_FLAGS; bit++)
		if (flags >> bit & 1)
			g_string_append_printf(text, "%s%s", text->len ? "," : "", value_name(FIELD_flags, bit));
	add(line, name, text->str);
	g_string_free(text, TRUE);
}

static void add_number(struct event_printer *printer, GString *line, const struct event *event,
                       const struct field *field)
{
	uint64_t value;

	if (!field_number(event, field, &value))
		return;
	switch (field->type) {
	case FIELD_u32:
	case FIELD_u64:
		g_string_append_printf(line, " %s=%" PRIu64, field->name, value);
		break;
	case FIELD_id:
		g_string_append_printf(line, " %s=%016" PRIx64, field->name, value);
		break;
	case FIELD_sock:
		value = connections_number(printer->connections, event->recording, value);
		if (value)
			g_string_append_printf(line, " %s=#%" PRIu64, field->name, value);
		break;
	case FIELD_flags:
		if (value)
			add_flags(line, field->name, value);
		break;
	case FIELD_error:
		add_and_free(line, field->name, value ? say_error(value) : g_strdup("0"));
		break;
	default:
		add(line, field->name, value_name(field->type, value));
	}
}

static void add_stack(struct event_printer *printer, GString *line, const struct event *event)
{
	const struct site *site = stacks_site(printer->stacks, printer->processes, event);

	if (site->place)
		g_string_append_printf(line, " at %s", site->place);
}

static void add_field(struct event_printer *printer, GString *line, const struct event *event,
                      const struct field *field)
{
	const char *bytes;
	size_t size;
	char *text;

	switch (field->type) {
	case FIELD_text:
		bytes = processes_text(printer->processes, event, field, &size);
		if (bytes)
			add_and_free(line, field->name, say_text(bytes, size));
		break;
	case FIELD_stack:
		add_stack(printer, line, event);
		break;
	case FIELD_address:
		text = say_address(field_address(event, field));
		if (text)
			add_and_free(line, field->name, text);
		break;
	case FIELD_build:
		text = say_build_id(field_build(event, field));
		if (text)
			add_and_free(line, field->name, text);
		break;
	default:
		add_number(printer, line, event, field);
	}
}

/* Events that carry addresses show the connection's; in the others the number stands for it. */
static void add_ends(GString *line, const struct event_kind *kind, const struct connection *connection)
{
	char *local, *peer;
	bool carries = false;

	for (const struct field *field = kind->fields; field->name; field++)
		carries |= field->type == FIELD_address;
	if (!carries || !connection)
		return;
	local = connection_local(connection);
	peer = connection_peer(connection);
	if (local)
		add(line, "local", local);
	if (peer)
		add(line, "peer", peer);
	g_free(local);
	g_free(peer);
}

void event_to_text(struct event_printer *printer, const struct event *event, const struct connection *connection,
                   GString *line)
{
	const struct event_kind *kind = event_kind(event->kind);
	char *time = say_time(recording_realtime(event->recording, event->record.t)), *plain;
	char number[16] = "-", fd[16] = "-";
	GString *text = g_string_new(NULL);

	if (connection)
		g_snprintf(number, sizeof(number), "#%u", connection->number);
	if (kind->socket && event->common.socket.fd >= 0)
		g_snprintf(fd, sizeof(fd), "%d", event->common.socket.fd);
	g_string_append_printf(text, "%.15s %7u %-8s %5s %3s", time + strlen("2000-01-01T"), event->record.pid,
	                       kind->name, number, fd);
	if (kind->socket)
		add_ends(text, kind, connection);
	for (const struct field *field = kind->fields; field->name; field++)
		if (!kind->socket || (field->type != FIELD_address && strcmp(field->name, "path") != 0))
			add_field(printer, text, event, field);
	plain = say_text(text->str, text->len); /* names of functions and files come from debug information */
	g_string_append_printf(line, "%s\n", plain);
	g_free(plain);
	g_free(time);
	g_string_free(text, TRUE);
}

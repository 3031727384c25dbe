/*
 * One row for each connection, for spreadsheets and data frames: RFC 4180. What is
 * not known is an empty field; times are those of `halfclose log --json`.
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "say.h"

static const char *role_of(const struct connection *connection)
{
	if (connection->accepted)
		return "accepted";
	return connection->connected || connection->connecting ? "connected" : connection->adopted ? "adopted" : NULL;
}

static char *time_of(uint64_t order)
{
	return order ? say_time(order) : NULL;
}

static char *safe(const char *text)
{
	return text ? say_text(text, strlen(text)) : NULL;
}

static char *rules_of(const struct connection *connection)
{
	GString *ids = g_string_new(NULL);

	for (const struct rule *rule = rules; connection->close && rule->id; rule++)
		if (rule->applies(connection))
			g_string_append_printf(ids, "%s%s", ids->len ? " " : "", rule->id);
	return g_string_free(ids, FALSE);
}

/* Only a stack that was recorded has a place: what else to say, `how` says. */
static char *place_of(const struct report *report, const struct connection *connection)
{
	const char *place;

	if (!connection->close)
		return NULL;
	place = stacks_site(report->findings->stacks, report->processes, connection->close)->place;
	return safe(place);
}

static uint64_t unless(bool unknown, uint64_t value)
{
	return unknown ? UINT64_MAX : value;
}

/*
 * NUMBER(column, value)   ~0: not known
 * TEXT(column, text)      new text, or NULL: not known
 * r: the report, c: the connection, e: the close, all unknown where there is none
 */
#define COLUMNS \
	NUMBER(sock, c->number) \
	NUMBER(pid, unless(!c->pid, c->pid)) \
	NUMBER(fd, unless(c->fd < 0, (unsigned)c->fd)) \
	TEXT(exe, safe(c->program)) \
	TEXT(family, safe(say_family(c->family))) \
	TEXT(role, safe(role_of(c))) \
	TEXT(local, connection_local(c)) \
	TEXT(peer, connection_peer(c)) \
	TEXT(born, time_of(c->born)) \
	TEXT(shut, time_of(c->shut_at)) \
	TEXT(closed, time_of(c->close ? c->close->order : 0)) \
	TEXT(teardown, safe(teardown_name(c->teardown))) \
	TEXT(outcome, safe(value_name(FIELD_outcome, e->outcome))) \
	TEXT(how, safe(value_name(FIELD_how, e->how))) \
	TEXT(state, safe(value_name(FIELD_state, e->state))) \
	NUMBER(unread, e->unread) \
	NUMBER(unacked, e->unacked) \
	NUMBER(sent, e->sent) \
	NUMBER(received, e->received) \
	TEXT(drain, safe(c->drain.at ? drain_name(c->drain.result) : NULL)) \
	NUMBER(drain_us, unless(!c->drain.at, c->drain.us)) \
	NUMBER(drained, unless(!c->drain.at, c->drain.drained)) \
	NUMBER(saved, unless(!c->drain.at, c->drain.saved)) \
	NUMBER(other, unless(!c->other, c->other ? c->other->number : 0)) \
	TEXT(other_teardown, safe(c->other ? teardown_name(c->other->teardown) : NULL)) \
	TEXT(rules, rules_of(c)) \
	TEXT(place, place_of(r, c))

/* A spreadsheet would take a text that begins like this for a formula; so do some with
 * the wide forms of East Asian scripts. */
static bool looks_like_formula(const char *text)
{
	gunichar c = g_utf8_get_char(text);

	if (c > 0xff00 && c < 0xff5f)
		c -= 0xff00 - ' ';
	return c && c < 0x80 && strchr("=+-@", (int)c);
}

static void put_text(GString *row, char *text)
{
	if (row->len)
		g_string_append_c(row, ',');
	if (!text)
		return;
	if (!looks_like_formula(text) && !strpbrk(text, ",\"\r\n")) {
		g_string_append(row, text);
	} else {
		g_string_append(row, looks_like_formula(text) ? "\"'" : "\"");
		for (const char *at = text; *at; at++)
			g_string_append_printf(row, *at == '"' ? "\"\"" : "%c", *at);
		g_string_append_c(row, '"');
	}
	g_free(text);
}

static void put_number(GString *row, uint64_t value)
{
	if (row->len)
		g_string_append_c(row, ',');
	if (known64(value))
		g_string_append_printf(row, "%" PRIu64, value);
}

static void put_row(struct report *report, GString *row)
{
	g_string_append(row, "\r\n");
	fwrite(row->str, 1, row->len, report->out);
	g_string_truncate(row, 0);
}

static void begin(struct report *report)
{
	static const char *const names[] = {
#define NUMBER(column, value) #column,
#define TEXT(column, text) #column,
		COLUMNS
#undef NUMBER
#undef TEXT
	};
	GString *row = report->state = g_string_new(NULL);

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		put_text(row, g_strdup(names[i]));
	put_row(report, row);
}

static void connection(struct report *report, const struct connection *connection)
{
	static const struct hc_close none = { .unread = UINT64_MAX,
		                              .unacked = UINT64_MAX,
		                              .sent = UINT64_MAX,
		                              .received = UINT64_MAX,
		                              .outcome = UINT8_MAX,
		                              .how = UINT8_MAX,
		                              .state = UINT8_MAX };
	const struct report *r = report;
	const struct connection *c = connection;
	const struct hc_close *e = c->close ? &c->close->close : &none;
	GString *row = report->state;

#define NUMBER(column, value) put_number(row, value);
#define TEXT(column, text) put_text(row, text);
	COLUMNS
#undef NUMBER
#undef TEXT
	put_row(report, row);
}

static void end(struct report *report)
{
	g_string_free(report->state, TRUE);
}

const struct report_format report_csv = {
	.name = "csv",
	.meaning = "a row for each connection (RFC 4180)",
	.begin = begin,
	.connection = connection,
	.end = end,
};

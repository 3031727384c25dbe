#include "top.h"

#include <errno.h>
#include <string.h>

#define SITES_MOST 4096u /* code that is made at run time can have any number of places */

static void site_free(void *data)
{
	struct top_site *site = data;

	g_free(site->place);
	g_free(site);
}

static struct top_program *program_of(struct top *top, const char *name)
{
	struct top_program *program;

	name = g_intern_string(name ? name : "");
	program = g_hash_table_lookup(top->by_program, name);
	if (program)
		return program;
	program = g_new0(struct top_program, 1);
	program->name = name;
	g_hash_table_insert(top->by_program, (gpointer)name, program);
	g_ptr_array_add(top->programs, program);
	return program;
}

static struct top_site *site_of(struct top *top, const struct rule *rule, const struct connection *connection)
{
	const struct site *where = stacks_site(top->stacks, top->processes, connection->close);
	const char *how = value_name(FIELD_how, connection->close->close.how);
	const char *program = connection->program ? connection->program : "";
	char *key = g_strdup_printf("%s\n%s\n%s\n%s", rule->id, program, how ? how : "", where->key ? where->key : "");
	struct top_site *site = g_hash_table_lookup(top->by_site, key);
	bool full = !site && top->sites->len >= SITES_MOST;

	if (full)
		site = g_hash_table_lookup(top->by_site, rule->id);
	if (site) {
		g_free(key);
		return site;
	}
	site = g_new0(struct top_site, 1);
	site->rule = rule;
	site->program = g_intern_string(program);
	if (full) {
		g_free(key);
		key = g_strdup(rule->id);
		site->place = g_strdup("at other places");
	} else {
		site->place =
		    where->place ? g_strdup(where->place) : g_strdup_printf("%s (no stack)", how ? how : "unknown");
	}
	g_hash_table_insert(top->by_site, key, site);
	g_ptr_array_add(top->sites, site);
	return site;
}

static struct top_second *second_at(struct top *top, uint64_t order)
{
	uint64_t second = order / 1000000000u;
	struct top_second *at = &top->seconds[second % TOP_SECONDS];

	if (at->second < second)
		*at = (struct top_second){ .second = second };
	return at->second == second ? at : NULL;
}

struct top_second top_second_of(const struct top *top, uint64_t second)
{
	const struct top_second *at = &top->seconds[second % TOP_SECONDS];

	return at->second == second ? *at : (struct top_second){ .second = second };
}

/* ---- ends ---- */

/* What a damaged recording says can be too much for a sum. */
static void add_bytes(uint64_t *sum, uint64_t bytes)
{
	*sum = *sum + bytes < bytes ? UINT64_MAX : *sum + bytes;
}

static void note_finding(struct top *top, const struct rule *rule, const struct connection *connection)
{
	struct top_site *site = site_of(top, rule, connection);
	uint64_t bytes = rule->bytes ? rule->bytes(connection) : 0;

	site->count++;
	add_bytes(&site->bytes, bytes);
	add_bytes(&top->lost, bytes);
	add_bytes(&program_of(top, connection->program)->bytes, bytes);
}

static bool needs_other_end(const struct rule *rule)
{
	return !strcmp(rule->id, "late-data");
}

static bool is_abrupt(const struct connection *connection)
{
	switch (connection->close->close.outcome) {
	case HC_OUTCOME_reset_unread:
	case HC_OUTCOME_reset_linger:
	case HC_OUTCOME_backlog:
		return true;
	default:
		return false;
	}
}

/* Notes are not what one watches a server for. */
static void note_findings(struct top *top, const struct connection *connection, bool of_both_ends)
{
	for (const struct rule *rule = rules; connection->close && rule->id; rule++)
		if (rule->severity != SEVERITY_note && needs_other_end(rule) == of_both_ends &&
		    rule->applies(connection))
			note_finding(top, rule, connection);
}

static void note_end(struct connection *connection, void *data)
{
	struct top *top = data;
	const struct connection *other = connection->other;
	struct top_second *second;

	if (!connection->close)
		return;
	if (is_abrupt(connection)) {
		second = second_at(top, connection->close->order);
		if (second)
			second->abrupt++;
		top->abrupt++;
		program_of(top, connection->program)->abrupt++;
		add_bytes(&top->unread, known_or_zero(connection->close->close.unread));
	}
	note_findings(top, connection, false);
	if (other && other->passed) { /* now that both have ended */
		note_findings(top, connection, true);
		note_findings(top, other, true);
	}
}

/* One that came and went between two looks. */
static void judged(struct connection *connection, void *data)
{
	if (connection->passed)
		return;
	connection->passed = true;
	note_end(connection, data);
}

/* ---- now ---- */

static void count_open(struct connection *connection, void *data)
{
	struct top *top = data;
	struct top_program *program;

	if (!connection_is_one(connection))
		return;
	program = program_of(top, connection->program);
	if (connection->close) {
		top->draining++;
		program->draining++;
		return;
	}
	top->open++;
	program->open++;
	if (connection->shut)
		top->half_closed++;
}

static int by_abruptness(const void *left, const void *right)
{
	const struct top_program *a = *(struct top_program *const *)left, *b = *(struct top_program *const *)right;

	if (a->abrupt != b->abrupt)
		return a->abrupt > b->abrupt ? -1 : 1;
	if (a->born != b->born)
		return a->born > b->born ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int by_harm(const void *left, const void *right)
{
	const struct top_site *a = *(struct top_site *const *)left, *b = *(struct top_site *const *)right;

	if (a->rule->severity != b->rule->severity)
		return a->rule->severity < b->rule->severity ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->place, b->place);
}

void top_look(struct top *top)
{
	connections_ended(top->connections, note_end, top);
	top->open = top->half_closed = top->draining = 0;
	for (unsigned i = 0; i < top->programs->len; i++) {
		struct top_program *program = top->programs->pdata[i];

		program->open = program->draining = 0;
	}
	connections_open(top->connections, count_open, top);
	g_ptr_array_sort(top->programs, by_abruptness);
	g_ptr_array_sort(top->sites, by_harm);
}

/* ---- events ---- */

static bool is_birth(const struct event *event)
{
	switch ((int)event->kind) {
	case HC_EVENT_accept:
		return true;
	case HC_EVENT_connect:
		return event->connect.result == 0 || event->connect.result == EINPROGRESS ||
		       event->connect.result == EINTR;
	case HC_EVENT_adopt:
		return event->adopt.state != HC_STATE_listening;
	default:
		return false;
	}
}

void top_event(struct top *top, const struct event *event)
{
	struct connection *connection;
	struct top_second *second;

	processes_event(top->processes, event);
	connection = connections_event(top->connections, event);
	top->first = top->first ? MIN(top->first, event->order) : event->order;
	top->last = MAX(top->last, event->order);
	if (event->kind == HC_EVENT_drain) {
		top->drains++;
		add_bytes(&top->saved, known_or_zero(event->drain.saved));
	}
	if (!connection || !is_birth(event))
		return;
	top->born++;
	program_of(top, connection->program)->born++;
	second = second_at(top, event->order);
	if (second)
		second->born++;
}

struct top *top_new(void)
{
	struct top *top = g_new0(struct top, 1);

	top->processes = processes_new();
	top->connections = connections_new(top->processes, judged, top);
	top->stacks = stacks_new();
	top->programs = g_ptr_array_new_with_free_func(g_free);
	top->sites = g_ptr_array_new_with_free_func(site_free);
	top->by_program = g_hash_table_new(NULL, NULL);
	top->by_site = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return top;
}

void top_free(struct top *top)
{
	connections_free(top->connections);
	processes_free(top->processes);
	stacks_free(top->stacks);
	g_hash_table_unref(top->by_program);
	g_hash_table_unref(top->by_site);
	g_ptr_array_unref(top->programs);
	g_ptr_array_unref(top->sites);
	g_free(top);
}

/*
 * Stacks for flame graphs: one line for each stack that closes were recorded with,
 * "program;outermost;...;innermost WEIGHT". The weights add up to the report's totals:
 * what was recorded without a stack is there as the call's name.
 */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static uint64_t weigh_unread(const struct connection *connection)
{
	return known_or_zero(connection->close->close.unread);
}

static uint64_t weigh_unacked(const struct connection *connection)
{
	if (connection->teardown != TEARDOWN_reset_unread && connection->teardown != TEARDOWN_reset_linger)
		return 0;
	return known_or_zero(connection->close->close.unacked);
}

static uint64_t weigh_one(const struct connection *connection)
{
	(void)connection;
	return 1;
}

static const struct folded {
	const struct report_format *format;
	uint64_t (*weigh)(const struct connection *connection);
} kinds[] = {
	{ &report_folded, weigh_unread },
	{ &report_folded_unacked, weigh_unacked },
	{ &report_folded_count, weigh_one },
};

static uint64_t weight_of(const struct report *report, const struct connection *connection)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (kinds[i].format == report->format)
			return kinds[i].weigh(connection);
	return 0;
}

static void begin(struct report *report)
{
	report->state = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* The separator has no escape in the format: a frame's own is written as other
 * treacherous characters are. */
static void put_frame(GString *stack, const char *name)
{
	char *safe = say_text(name, strlen(name));

	if (stack->len)
		g_string_append_c(stack, ';');
	for (const char *at = safe; *at; at++)
		g_string_append_printf(stack, *at == ';' ? "\\x%02x" : "%c", *at);
	g_free(safe);
}

static void put_function(GString *stack, const struct frame *frame)
{
	char *module, *text;

	if (frame->function) {
		put_frame(stack, frame->function);
	} else if (frame->module) {
		module = g_path_get_basename(frame->module);
		text = g_strdup_printf("%s+0x%" PRIx64, module, frame->offset);
		put_frame(stack, text);
		g_free(text);
		g_free(module);
	} else {
		text = frame->file ? g_path_get_basename(frame->file) : g_strdup("[no file]");
		put_frame(stack, text); /* made at run time: its address says nothing */
		g_free(text);
	}
}

static char *stack_of(const struct report *report, const struct connection *connection)
{
	const GArray *frames = stacks_site(report->findings->stacks, report->processes, connection->close)->frames;
	const char *how = value_name(FIELD_how, connection->close->close.how);
	char *program = *connection->program ? g_path_get_basename(connection->program) : g_strdup("[unknown]");
	GString *stack = g_string_new(NULL);

	put_frame(stack, program);
	for (unsigned i = frames->len; i-- > 0;)
		put_function(stack, &g_array_index(frames, struct frame, i));
	if (!frames->len) {
		put_frame(stack, "[no stack]");
		put_frame(stack, how ? how : "[unknown]");
	}
	g_free(program);
	return g_string_free(stack, FALSE);
}

static void connection(struct report *report, const struct connection *connection)
{
	uint64_t weight = connection->close ? weight_of(report, connection) : 0, *sum;
	char *stack;

	if (!weight)
		return;
	stack = stack_of(report, connection);
	sum = g_hash_table_lookup(report->state, stack);
	if (sum) {
		add_up(sum, weight);
		g_free(stack);
	} else {
		g_hash_table_insert(report->state, stack, g_memdup2(&weight, sizeof(weight)));
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void end(struct report *report)
{
	guint count;
	gpointer *stacks = g_hash_table_get_keys_as_array(report->state, &count);

	qsort(stacks, count, sizeof(*stacks), by_text);
	for (guint i = 0; i < count; i++)
		fprintf(report->out, "%s %" PRIu64 "\n", (const char *)stacks[i],
		        *(const uint64_t *)g_hash_table_lookup(report->state, stacks[i]));
	g_free(stacks);
	g_hash_table_unref(report->state);
}

#define FOLDED(by) .meaning = "stacks for a flame graph, by " by, .begin = begin, .connection = connection, .end = end

const struct report_format report_folded = { .name = "folded", FOLDED("unread bytes") };
const struct report_format report_folded_unacked = { .name = "folded-unacked", FOLDED("bytes thrown away") };
const struct report_format report_folded_count = { .name = "folded-count", FOLDED("connections") };

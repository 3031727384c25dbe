/*
 * Bytes -> reader -> events -> report in each format, and the log in both. The
 * input is one or more recordings, each beginning with the magic at a multiple
 * of a slot: `cat 1.hc 2.hc`.
 *
 * What must hold, beyond no fault and no leak: what is printed for people is
 * UTF-8 without control characters, what is printed for programs is JSON, each
 * slot is accounted for, the counts agree with each other, and reading the same
 * files once more says the same.
 */
#include "fuzz.h"

#include <glib.h>

#include "event_print.h"
#include "is_json.h"
#include "ladder_text.h"
#include "recording.h"
#include "report.h"
#include "timeline.h"
#include "top_page.h"

#define FILES 4u

/* Where recordings that stand one behind the other begin. */
static unsigned split(const uint8_t *data, size_t size, char **paths)
{
	static const char magic[] = HC_MAGIC;
	unsigned count = 0;
	size_t from = 0, at;

	for (at = HC_SLOT_SIZE; at + sizeof(magic) <= size && count < FILES - 1; at += HC_SLOT_SIZE) {
		if (memcmp(data + at, magic, sizeof(magic)) != 0)
			continue;
		paths[count] = g_strdup(file_of(count, data + from, at - from));
		count++;
		from = at;
	}
	paths[count] = g_strdup(file_of(count, data + from, size - from));
	return count + 1;
}

/* Nothing that moves a terminal's cursor or hides or turns what stands there. */
static void must_be_plain(const char *text, size_t size)
{
	MUST(size == 0 || text[size - 1] == '\n');
	MUST(g_utf8_validate_len(text, size, NULL));
	for (const char *at = text; at < text + size; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		MUST(c == '\n' || (c == '\r' && at[1] == '\n') || !g_unichar_iscntrl(c));
		MUST(!(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069));
	}
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

static void must_add_up(const struct report *report)
{
	uint64_t ends = 0, outcomes = 0;

	for (unsigned i = 0; i < TEARDOWNS; i++)
		ends += report->teardowns[i];
	for (unsigned i = 0; i < HC_OUTCOMES; i++)
		outcomes += report->connections->outcomes[i];
	MUST(ends == report->count);
	MUST(outcomes == report->connections->closes);
	MUST(report->connections->closes <= report->events);
	MUST(report->last >= report->first);
	for (unsigned i = 0; i < report->timeline->recordings->len; i++) {
		const struct recording *recording = report->timeline->recordings->pdata[i];

		MUST(recording->slot == recording->end);
		MUST(recording->damaged + recording->unwritten <= recording->end + HC_RECORD_MAX);
	}
}

static bool is_of_json(const char *format)
{
	return !strcmp(format, "json") || !strcmp(format, "sarif") || !strcmp(format, "trace");
}

/* The page's data stands in an element that ends where it ends, and is JSON. */
static void must_be_page(const char *text)
{
	static const char begin[] = "<script type=\"application/json\" id=\"data\">";
	const char *data = strstr(text, begin), *end;

	MUST(data);
	data += strlen(begin);
	end = strchr(data, '<');
	MUST(end && g_str_has_prefix(end, "</script>\n<script>\"use strict\";"));
	MUST(g_utf8_validate(text, -1, NULL));
	MUST(is_json(data, (size_t)(end - data)));
}

static char *report_as(char **paths, const char *format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct report *report = report_read(paths, report_format_named(format), out);

	must_add_up(report);
	if (report->timeline->recordings->len)
		report_write(report);
	report_free(report);
	fclose(out);
	if (size && !strcmp(format, "html"))
		must_be_page(text);
	else if (size && is_of_json(format))
		MUST(is_json(text, size));
	else if (size)
		must_be_plain(text, size);
	if (!strcmp(format, "summary"))
		MUST(lines_of(text) <= 25);
	return text;
}

static void must_fit(const char *text, unsigned columns)
{
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		MUST(g_utf8_strlen(line, end - line) <= (glong)columns);
	}
}

static void draw(struct ladder *ladder)
{
	struct ladder_style style = { .columns = LADDER_COLUMNS, .utf8 = true };
	GString *page = g_string_new(NULL);

	if (ladder) {
		MUST(ladder->steps->len > 0);
		for (unsigned i = 0; i < ladder->steps->len; i++) {
			const struct ladder_step *step = &g_array_index(ladder->steps, struct ladder_step, i);

			MUST(!step->order || step->order >= ladder->born);
			MUST((step->arrow == LADDER_NO_ARROW) == !step->wire);
			MUST(step->states[LADDER_TRACED] < HC_STATES && step->states[LADDER_PEER] < HC_STATES);
		}
		ladder_to_text(ladder, &style, page);
		must_be_plain(page->str, page->len);
		must_fit(page->str, LADDER_COLUMNS);
	}
	ladder_free(ladder);
	g_string_free(page, TRUE);
}

static void draw_judged(struct connection *connection, void *data)
{
	struct ladder *ladder = ladder_of(connection);

	(void)data;
	MUST(ladder || !connection_is_one(connection));
	draw(ladder);
	draw(ladder_cured(connection));
}

/* As it is watched: a page now and then, and what came by then is counted once. */
static void watch(char **paths)
{
	static const struct top_view view = { .columns = 80, .rows = 24, .title = "x", .utf8 = true };
	struct timeline *timeline = timeline_open(paths);
	struct top *top = top_new();
	GString *page = g_string_new(NULL);
	struct event *event;
	unsigned events = 0;

	timeline->early = processes_module_event;
	timeline->early_data = top->processes;
	while ((event = timeline_next(timeline, UINT64_MAX))) {
		top_event(top, event);
		if (++events % 5 == 0)
			top_look(top);
		g_free(event);
	}
	top_look(top);
	MUST(top->abrupt <= top->connections->closes);
	top_page(top, &view, "\n", page);
	g_string_append_c(page, '\n');
	must_be_plain(page->str, page->len);
	must_fit(page->str, view.columns);
	MUST(lines_of(page->str) <= view.rows);
	g_string_free(page, TRUE);
	top_free(top);
	timeline_free(timeline);
}

static void log_all(char **paths)
{
	struct timeline *timeline = timeline_open(paths);
	struct event_printer printer = { .processes = processes_new(), .stacks = stacks_new() };
	GString *line = g_string_new(NULL);
	struct event *event;

	printer.connections = connections_new(printer.processes, draw_judged, NULL);
	timeline->early = processes_module_event;
	timeline->early_data = printer.processes;
	while ((event = timeline_next(timeline, UINT64_MAX))) {
		struct connection *connection;

		processes_event(printer.processes, event);
		connection = connections_event(printer.connections, event);
		g_string_truncate(line, 0);
		event_to_json(&printer, event, connection, line);
		MUST(line->len > 0 && strchr(line->str, '\n') == line->str + line->len - 1);
		MUST(is_json(line->str, line->len));
		g_string_truncate(line, 0);
		event_to_text(&printer, event, connection, line);
		MUST(line->len > 0 && strchr(line->str, '\n') == line->str + line->len - 1);
		must_be_plain(line->str, line->len);
		g_free(event);
	}
	connections_finish(printer.connections);
	g_string_free(line, TRUE);
	connections_free(printer.connections);
	processes_free(printer.processes);
	stacks_free(printer.stacks);
	timeline_free(timeline);
}

/* With little kept, ends are passed on and freed while others still come. */
static void keep(unsigned connections, unsigned records)
{
	connections_kept = connections;
	timeline_window = records;
}

/* Which of several an input is for. */
static unsigned sum_of(const uint8_t *data, size_t size)
{
	unsigned sum = 0;

	while (size--)
		sum += *data++;
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const for_tools[] = { "csv",         "sarif",          "trace",
		                                 "folded",      "folded-unacked", "folded-count",
		                                 "openmetrics", "prometheus",     "html" };
	char *paths[FILES + 1] = { NULL };
	char *text, *json, *again;

	split(data, size, paths);
	keep(3, 8);
	log_all(paths);
	watch(paths);
	free(report_as(paths, "text"));
	keep(CONNECTIONS_KEPT, TIMELINE_WINDOW);
	text = report_as(paths, "text");
	json = report_as(paths, "json");
	again = report_as(paths, "json");
	MUST(strcmp(json, again) == 0);
	free(again);
	again = report_as(paths, "summary");
	MUST(strncmp(text, again, strlen(again)) == 0);
	free(report_as(paths, for_tools[sum_of(data, size) % G_N_ELEMENTS(for_tools)]));
	log_all(paths);
	watch(paths);
	free(text);
	free(json);
	free(again);
	for (char **path = paths; *path; path++)
		g_free(*path);
	return 0;
}

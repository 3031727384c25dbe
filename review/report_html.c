/*
 * The report as one page: its data is a JSON object, which has the JSON report inside
 * and beside it what only pictures need; review/page/ draws it. Bounded, however large
 * the recording: what is many is counted in cells, and what is shown one by one is
 * shown for the worst.
 */
#include "report.h"

#include "json.h"
#include "ladder.h"
#include "page.h"
#include "recording.h"
#include "rows.h"
#include "say.h"
#include "sites.h"
#include "source.h"

#ifndef HC_VERSION_TEXT
#define HC_VERSION_TEXT "0.1.0"
#endif

#define FINDINGS_BYTES (420u << 10) /* of JSON: the findings behind it are counted */
#define LADDERS 60u                 /* findings that have their pictures */
#define EXCERPTS 3u                 /* frames of a finding whose source lines are shown */
#define AROUND 4u                   /* lines before and after */
#define PAGE_CELLS 1500u
#define TRACK_NUMBERS 36000u

struct state {
	struct cells *cells;
	struct rows *rows;
	struct json report, more; /* of the same findings */
	unsigned shown, left;     /* findings */
};

/* Made when the first of anything comes: where no file could be read, nothing does. */
static struct state *state_of(struct report *report)
{
	struct state *state = report->state;

	if (state)
		return state;
	report->state = state = g_new0(struct state, 1);
	state->cells = cells_new();
	state->rows = rows_new();
	state->report.text = g_string_new(NULL);
	state->more.text = g_string_new(NULL);
	return state;
}

static void found(struct report *report, const struct finding *finding, const struct connection *connection,
                  uint64_t bytes)
{
	cells_found(state_of(report)->cells, finding, connection, bytes);
	rows_found(state_of(report)->rows, state_of(report)->cells, finding, connection, bytes);
}

static void connection(struct report *report, const struct connection *one)
{
	struct state *state = state_of(report);
	bool time_wait = leaves_time_wait(one);

	cells_add(state->cells, one, time_wait, report->first);
	rows_add(state->rows, state->cells, one, time_wait);
}

/* ---- findings ---- */

static void write_excerpts(struct json *json, const GArray *site)
{
	unsigned shown = 0;

	json_array(json, "sources");
	for (unsigned i = 0; i < site->len && shown < EXCERPTS; i++) {
		struct excerpt *excerpt = source_excerpt(&g_array_index(site, struct frame, i), AROUND);

		if (!excerpt)
			continue;
		shown++;
		json_object(json, NULL);
		json_number(json, "frame", i);
		json_string(json, "path", excerpt->path);
		json_number(json, "first", excerpt->first);
		json_number(json, "newer", excerpt->newer);
		json_array(json, "lines");
		for (unsigned line = 0; line < excerpt->lines->len; line++)
			json_string(json, NULL, excerpt->lines->pdata[line]);
		json_end_array(json);
		json_end_object(json);
		excerpt_free(excerpt);
	}
	json_end_array(json);
}

static const char *const ends[] = { [LADDER_TRACED] = "traced", [LADDER_PEER] = "peer" };

static void write_step(struct json *json, const struct ladder_step *step, uint64_t born)
{
	static const char *const arrows[] = {
		[LADDER_NO_ARROW] = NULL, [LADDER_TO_PEER] = "peer", [LADDER_TO_TRACED] = "traced"
	};

	json_object(json, NULL);
	if (step->order && step->order >= born)
		json_number(json, "us", (step->order - born) / 1000);
	json_number(json, "supposed", step->supposed);
	json_string(json, "end", ends[step->end]);
	json_string(json, "call", step->call);
	json_string(json, "to", arrows[step->arrow]);
	json_string(json, "wire", step->wire);
	json_number(json, "lost", step->lost);
	json_number(json, "alarming", step->alarming);
	for (unsigned end = 0; end < LADDER_ENDS; end++) {
		json_object(json, ends[end]);
		json_string(json, "state", value_name(FIELD_state, step->states[end]));
		json_string(json, "buffer", step->buffers[end]);
		json_end_object(json);
	}
	json_end_object(json);
}

static void write_ladder(struct json *json, const char *key, struct ladder *ladder)
{
	if (!ladder)
		return;
	json_object(json, key);
	json_string(json, "left", ends[ladder->client]);
	for (unsigned end = 0; end < LADDER_ENDS; end++) {
		json_object(json, ends[end]);
		json_string(json, "name", ladder->names[end]);
		json_string(json, "address", ladder->addresses[end]);
		json_end_object(json);
	}
	json_array(json, "steps");
	for (unsigned i = 0; i < ladder->steps->len; i++)
		write_step(json, &g_array_index(ladder->steps, struct ladder_step, i), ladder->born);
	json_end_array(json);
	json_end_object(json);
	ladder_free(ladder);
}

static void write_found_rows(const struct state *state, struct json *json, const struct finding *finding)
{
	const GArray *list = g_hash_table_lookup(state->rows->found, finding);

	json_array(json, "rows");
	for (unsigned i = 0; list && i < list->len; i++) {
		json_number(json, NULL, g_array_index(list, struct found_row, i).row->number);
		json_number(json, NULL, g_array_index(list, struct found_row, i).bytes);
	}
	json_end_array(json);
}

/* What a link to the finding says: the same for the same call site in another recording. */
static char *slug_of(const struct finding *finding)
{
	char *site = site_key(finding->site);
	char *key = g_strjoin("\n", finding->program, finding->place, site, NULL);
	char *slug = g_strdup_printf("%s-%08x", finding->rule->id, g_str_hash(key));

	g_free(key);
	g_free(site);
	return slug;
}

static void write_frames(struct json *json, const GArray *site)
{
	json_array(json, "frames");
	for (unsigned i = 0; i < site->len; i++) {
		char *frame = site_frame(&g_array_index(site, struct frame, i));

		json_string(json, NULL, frame);
		g_free(frame);
	}
	json_end_array(json);
}

static void finding(struct report *report, const struct finding *one)
{
	struct state *state = state_of(report);
	const struct connection *example = one->example.connection;
	char *slug;

	if (state->report.text->len + state->more.text->len > FINDINGS_BYTES) {
		state->left++;
		return;
	}
	json_object(&state->report, NULL);
	report_json_finding(&state->report, one);
	json_end_object(&state->report);
	slug = slug_of(one);
	json_object(&state->more, NULL);
	json_string(&state->more, "slug", slug);
	json_string(&state->more, "means", one->rule->means);
	json_string(&state->more, "peer", one->rule->peer);
	json_string(&state->more, "lost", one->rule->lost);
	write_frames(&state->more, one->site);
	write_excerpts(&state->more, one->site);
	write_found_rows(state, &state->more, one);
	if (state->shown++ < LADDERS && example) {
		write_ladder(&state->more, "ladder", ladder_of(example));
		write_ladder(&state->more, "cured", ladder_cured(example));
	}
	json_end_object(&state->more);
	g_free(slug);
}

/* ---- what the filters act on ---- */

static const char *class_of(unsigned kind)
{
	switch (kind) {
	case TEARDOWN_reset_unread:
	case TEARDOWN_reset_linger:
	case KIND_BACKLOG:
		return "abrupt";
	case TEARDOWN_half_close:
	case TEARDOWN_passive:
	case TEARDOWN_drained:
		return "graceful";
	default:
		return "other";
	}
}

static void write_kinds(struct json *json)
{
	json_array(json, "kinds");
	for (unsigned kind = 0; kind < KINDS; kind++) {
		json_object(json, NULL);
		json_string(json, "name", kind == KIND_BACKLOG ? "backlog" : teardown_name(kind));
		json_string(json, "meaning",
		            kind == KIND_BACKLOG ? "a listener, closed with connections waiting in its queue" :
		                                   teardown_meaning(kind));
		json_string(json, "class", class_of(kind));
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_groups(const struct cells *cells, struct json *json)
{
	static const char *const names[] = { "programs", "services", "peers" };

	for (unsigned axis = 0; axis < AXES; axis++) {
		json_array(json, names[axis]);
		for (unsigned i = 0; i < cells->sorted[axis]->len; i++) {
			const struct group *group = cells->sorted[axis]->pdata[i];

			json_object(json, NULL);
			json_string(json, "name", group->name);
			if (axis == AXIS_SERVICE && group->port && !group->connecting)
				json_number(json, "port", group->port);
			if (group->many)
				json_number(json, "many", 1);
			json_end_object(json);
		}
		json_end_array(json);
	}
}

/* Pairs: how far from the last that was not 0, and what. */
static void write_sparse(struct json *json, const uint32_t *numbers, unsigned count)
{
	unsigned last = 0;

	json_array(json, NULL);
	for (unsigned i = 0; i < count; i++) {
		if (!numbers[i])
			continue;
		json_number(json, NULL, i - last);
		json_number(json, NULL, numbers[i]);
		last = i;
	}
	json_end_array(json);
}

static void write_tallies(struct report *report, struct json *json, const struct cell *cell)
{
	json_array(json, NULL);
	for (unsigned i = 0; cell->findings && i < state_of(report)->shown; i++) {
		const struct tally *tally = g_hash_table_lookup(cell->findings, report->findings->list->pdata[i]);

		if (!tally)
			continue;
		json_number(json, NULL, i);
		json_number(json, NULL, tally->count);
		json_number(json, NULL, tally->bytes);
	}
	json_end_array(json);
}

static void write_cell(struct report *report, struct json *json, const struct cell *cell)
{
	json_array(json, NULL);
	for (unsigned axis = 0; axis < AXES; axis++)
		json_number(json, NULL, cell->at[axis]->number);
	json_number(json, NULL, cell->kind);
	json_number(json, NULL, cell->count);
	json_number(json, NULL, cell->unread);
	json_number(json, NULL, cell->unacked);
	json_number(json, NULL, cell->time_wait);
	for (unsigned measure = 0; measure < MEASURES; measure++)
		write_sparse(json, cell->measures[measure], BUCKETS);
	write_tallies(report, json, cell);
	json_end_array(json);
}

static void write_track(struct json *json, const struct cell *lane)
{
	json_array(json, NULL);
	json_number(json, NULL, lane->at[AXIS_PROGRAM]->number);
	json_number(json, NULL, lane->at[AXIS_SERVICE]->number);
	json_number(json, NULL, lane->kind);
	for (unsigned phase = 0; phase < PHASES; phase++) {
		write_sparse(json, lane->track->in[phase], TRACK_BINS);
		write_sparse(json, lane->track->out[phase], TRACK_BINS);
	}
	json_end_array(json);
}

static int by_place(const void *left, const void *right)
{
	const struct cell *a = *(struct cell *const *)left, *b = *(struct cell *const *)right;

	for (unsigned axis = 0; axis < AXES; axis++)
		if (a->at[axis] && b->at[axis] && a->at[axis] != b->at[axis])
			return a->at[axis]->number < b->at[axis]->number ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

/* Those with a peer, or the lanes; always in the same order. */
static GPtrArray *sorted_cells(const struct cells *cells, bool lanes)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter all;
	gpointer key;

	g_hash_table_iter_init(&all, cells->cells);
	while (g_hash_table_iter_next(&all, &key, NULL))
		if (lanes == (((struct cell *)key)->track != NULL))
			g_ptr_array_add(list, key);
	g_ptr_array_sort(list, by_place);
	return list;
}

static unsigned numbers_of(const GPtrArray *lanes)
{
	unsigned count = 0;

	for (unsigned i = 0; i < lanes->len; i++) {
		const struct track *track = ((struct cell *)lanes->pdata[i])->track;

		for (unsigned phase = 0; phase < PHASES; phase++)
			for (unsigned bin = 0; bin < TRACK_BINS; bin++)
				count += (track->in[phase][bin] ? 1u : 0u) + (track->out[phase][bin] ? 1u : 0u);
	}
	return count;
}

static void write_tracks(struct cells *cells, struct json *json)
{
	GPtrArray *lanes = sorted_cells(cells, true);

	for (unsigned bins = TRACK_BINS; bins > 64 && numbers_of(lanes) > TRACK_NUMBERS; bins /= 2) {
		cells->clock.unit *= 2;
		for (unsigned i = 0; i < lanes->len; i++)
			track_halve(((struct cell *)lanes->pdata[i])->track);
	}
	json_number(json, "unit", cells->clock.unit);
	json_array(json, "tracks");
	for (unsigned i = 0; i < lanes->len; i++)
		write_track(json, lanes->pdata[i]);
	json_end_array(json);
	g_ptr_array_unref(lanes);
}

static void write_cells(struct report *report, struct json *json)
{
	struct cells *cells = state_of(report)->cells;
	GPtrArray *list;

	if (!state_of(report)->rows->all)
		cells_shrink(cells, PAGE_CELLS);
	cells_sort(cells);
	write_groups(cells, json);
	if (state_of(report)->rows->all) /* they tell more */
		return;
	list = sorted_cells(cells, false);
	json_array(json, "cells");
	for (unsigned i = 0; i < list->len; i++)
		write_cell(report, json, list->pdata[i]);
	json_end_array(json);
	g_ptr_array_unref(list);
	write_tracks(cells, json);
}

/* ---- single connections ---- */

static void number_or_null(struct json *json, uint64_t value, bool known)
{
	if (known)
		json_number(json, NULL, value);
	else
		json_null(json, NULL);
}

static void text_or_null(struct json *json, const char *text)
{
	if (text)
		json_string(json, NULL, text);
	else
		json_null(json, NULL);
}

static void write_row(struct json *json, const struct row *row, uint64_t first)
{
	const uint64_t times[] = { row->born, row->shut, row->close, row->drain };
	const uint64_t sizes[] = { row->unread, row->unacked, row->sent, row->received };

	json_array(json, NULL);
	json_number(json, NULL, row->number);
	for (unsigned axis = 0; axis < AXES; axis++)
		json_number(json, NULL, group_now(row->at[axis])->number);
	json_number(json, NULL, row->kind);
	number_or_null(json, row->pid, row->pid != 0);
	number_or_null(json, (uint64_t)(int64_t)row->fd, row->fd >= 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(times); i++)
		number_or_null(json, times[i] > first ? (times[i] - first) / 1000 : 0, times[i] != 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
		number_or_null(json, sizes[i], known64(sizes[i]));
	text_or_null(json, row->how);
	text_or_null(json, row->local);
	text_or_null(json, row->peer);
	json_number(json, NULL, row->time_wait);
	json_end_array(json);
}

static void write_rows(struct report *report, struct json *json)
{
	GPtrArray *list = rows_sorted(state_of(report)->rows);

	json_number(json, "all_rows", state_of(report)->rows->all != NULL);
	json_array(json, "rows");
	for (unsigned i = 0; i < list->len; i++)
		write_row(json, list->pdata[i], report->first);
	json_end_array(json);
	g_ptr_array_unref(list);
}

/* ---- the whole ---- */

static void write_head(const struct report *report, struct json *json)
{
	char *start = say_time(report->first);

	json_string(json, "version", HC_VERSION_TEXT);
	json_array(json, "files");
	for (unsigned i = 0; i < report->timeline->recordings->len; i++) {
		const struct recording *recording = report->timeline->recordings->pdata[i];

		json_object(json, NULL);
		json_string(json, "path", recording->path);
		json_string(json, "host", recording->header.host);
		json_end_object(json);
	}
	json_end_array(json);
	if (report->events)
		json_string(json, "start", start);
	json_number(json, "span_us", (report->last - report->first) / 1000);
	json_number(json, "events", report->events);
	json_number(json, "drains_ended", report_drains(report));
	g_free(start);
}

static void summary(struct report *report)
{
	struct state *state = state_of(report);

	json_object(&state->report, NULL);
	report_json_head(report, &state->report);
	json_array(&state->more, NULL);
}

static void end(struct report *report)
{
	struct state *state = state_of(report);
	struct json page = { .text = g_string_new(NULL) };

	json_end_array(&state->report);
	json_end_object(&state->report);
	json_end_array(&state->more);
	json_object(&page, NULL);
	write_head(report, &page);
	json_raw(&page, "report", state->report.text->str);
	json_raw(&page, "more", state->more.text->str);
	json_number(&page, "left", state->left);
	write_kinds(&page);
	write_cells(report, &page);
	write_rows(report, &page);
	json_end_object(&page);
	page_write(report->out, page.text);
	g_string_free(page.text, TRUE);
	g_string_free(state->report.text, TRUE);
	g_string_free(state->more.text, TRUE);
	rows_free(state->rows);
	cells_free(state->cells);
	g_free(state);
}

const struct report_format report_html = {
	.name = "html",
	.meaning = "one page with pictures, for a browser",
	.found = found,
	.connection = connection,
	.summary = summary,
	.finding = finding,
	.end = end,
};

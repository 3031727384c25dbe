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
#include "page_numbers.h"
#include "recording.h"
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

static void write_excerpts(struct json *json, const GArray *site, const struct source_place *place)
{
	unsigned shown = 0;

	json_array(json, "sources");
	for (unsigned i = 0; i < site->len && shown < EXCERPTS; i++) {
		struct excerpt *excerpt = source_excerpt(&g_array_index(site, struct frame, i), place, AROUND);

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

/* What a link to the finding says: the same for the same call in another recording. */
static char *slug_of(const struct finding *finding)
{
	return g_strdup_printf("%s-%.12s-%u", finding->rule->id, finding->fingerprint, finding->ordinal);
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
	const struct source_place place = { report->source_root, report->first };
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
	write_excerpts(&state->more, one->site, &place);
	write_found_rows(state, &state->more, one);
	if (state->shown++ < LADDERS && example) {
		write_ladder(&state->more, "ladder", ladder_of(example));
		write_ladder(&state->more, "cured", ladder_cured(example));
	}
	json_end_object(&state->more);
	g_free(slug);
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
	page_numbers(&page, state->cells, state->rows, report->findings->list, state->shown, report->first);
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

/* Arrays without keys, for they are many; review/page/values.js gives them names. */
#include "page_numbers.h"

#define PAGE_CELLS 1500u
#define TRACK_NUMBERS 36000u

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
		            kind == KIND_BACKLOG ? "a listener, closed with connections waiting in its queue"
		                                 : teardown_meaning(kind));
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

static void write_tallies(struct json *json, const struct cell *cell, const GPtrArray *findings, unsigned shown)
{
	json_array(json, NULL);
	for (unsigned i = 0; cell->findings && i < shown; i++) {
		const struct tally *tally = g_hash_table_lookup(cell->findings, findings->pdata[i]);

		if (!tally)
			continue;
		json_number(json, NULL, i);
		json_number(json, NULL, tally->count);
		json_number(json, NULL, tally->bytes);
	}
	json_end_array(json);
}

static void write_cell(struct json *json, const struct cell *cell, const GPtrArray *findings, unsigned shown)
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
	write_tallies(json, cell, findings, shown);
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

static void write_cells(struct json *json, const struct cells *cells, const GPtrArray *findings, unsigned shown)
{
	GPtrArray *list = sorted_cells(cells, false);

	json_array(json, "cells");
	for (unsigned i = 0; i < list->len; i++)
		write_cell(json, list->pdata[i], findings, shown);
	json_end_array(json);
	g_ptr_array_unref(list);
}

/* ---- single connections ---- */

/* "" where it is not known: the JSON of the house has no null. */
static void number_or_nothing(struct json *json, uint64_t value, bool known)
{
	if (known)
		json_number(json, NULL, value);
	else
		json_string(json, NULL, "");
}

static void text_or_nothing(struct json *json, const char *text)
{
	json_string(json, NULL, text ? text : "");
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
	number_or_nothing(json, row->pid, row->pid != 0);
	number_or_nothing(json, (uint64_t)(int64_t)row->fd, row->fd >= 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(times); i++)
		number_or_nothing(json, times[i] > first ? (times[i] - first) / 1000 : 0, times[i] != 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
		number_or_nothing(json, sizes[i], known64(sizes[i]));
	text_or_nothing(json, row->how);
	text_or_nothing(json, row->local);
	text_or_nothing(json, row->peer);
	json_number(json, NULL, row->time_wait);
	json_end_array(json);
}

static void write_rows(struct json *json, const struct rows *rows, uint64_t first)
{
	GPtrArray *list = rows_sorted(rows);

	json_number(json, "all_rows", rows->all != NULL);
	json_array(json, "rows");
	for (unsigned i = 0; i < list->len; i++)
		write_row(json, list->pdata[i], first);
	json_end_array(json);
	g_ptr_array_unref(list);
}

void page_numbers(struct json *json, struct cells *cells, const struct rows *rows, const GPtrArray *findings,
                  unsigned shown, uint64_t first)
{
	if (!rows->all)
		cells_shrink(cells, PAGE_CELLS);
	cells_sort(cells);
	write_kinds(json);
	write_groups(cells, json);
	write_rows(json, rows, first);
	if (rows->all) /* they tell more than cells */
		return;
	write_cells(json, cells, findings, shown);
	write_tracks(cells, json);
}

#include "cells.h"

#include <string.h>

#define KEPT 48u /* of an axis, when its rare values become one */

unsigned cells_limit = 3000, cells_lanes = 512;

static guint cell_hash(gconstpointer key)
{
	const struct cell *cell = key;
	guint hash = cell->kind;

	for (unsigned axis = 0; axis < AXES; axis++)
		hash = hash * 31 + g_direct_hash(cell->at[axis]) / 16;
	return hash;
}

static gboolean cell_equal(gconstpointer left, gconstpointer right)
{
	const struct cell *a = left, *b = right;

	return !memcmp(a->at, b->at, sizeof(a->at)) && a->kind == b->kind;
}

static void cell_free(void *data)
{
	struct cell *cell = data;

	if (cell->findings)
		g_hash_table_unref(cell->findings);
	g_free(cell->track);
	g_free(cell);
}

struct cells *cells_new(void)
{
	struct cells *cells = g_new0(struct cells, 1);

	cells->cells = g_hash_table_new_full(cell_hash, cell_equal, cell_free, NULL);
	groups_init(&cells->groups);
	return cells;
}

void cells_free(struct cells *cells)
{
	g_hash_table_unref(cells->cells);
	groups_clear(&cells->groups);
	for (unsigned axis = 0; axis < AXES; axis++)
		if (cells->sorted[axis])
			g_ptr_array_unref(cells->sorted[axis]);
	g_free(cells);
}

static struct cell *cell_at(struct cells *cells, struct group *const groups[AXES], unsigned kind)
{
	struct cell wanted = { .kind = kind }, *cell;

	memcpy(wanted.at, groups, sizeof(wanted.at));
	cell = g_hash_table_lookup(cells->cells, &wanted);
	if (!cell) {
		cell = g_memdup2(&wanted, sizeof(wanted));
		g_hash_table_add(cells->cells, cell);
		if (!cell->at[AXIS_PEER]) {
			cell->track = g_new0(struct track, 1);
			cells->lanes++;
		}
	}
	return cell;
}

static void tally_add(struct cell *cell, const struct finding *finding, uint64_t count, uint64_t bytes)
{
	struct tally *tally;

	if (!cell->findings)
		cell->findings = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	tally = g_hash_table_lookup(cell->findings, finding);
	if (!tally) {
		tally = g_new0(struct tally, 1);
		g_hash_table_insert(cell->findings, (gpointer)finding, tally);
	}
	tally->count += count;
	add_up(&tally->bytes, bytes);
}

static void merge(struct cell *into, const struct cell *from)
{
	GHashTableIter all;
	gpointer finding, tally;

	into->count += from->count;
	add_up(&into->unread, from->unread);
	add_up(&into->unacked, from->unacked);
	into->time_wait += from->time_wait;
	for (unsigned measure = 0; measure < MEASURES; measure++)
		for (unsigned i = 0; i < BUCKETS; i++)
			into->measures[measure][i] += from->measures[measure][i];
	if (from->track)
		track_merge(into->track, from->track);
	if (!from->findings)
		return;
	g_hash_table_iter_init(&all, from->findings);
	while (g_hash_table_iter_next(&all, &finding, &tally))
		tally_add(into, finding, ((struct tally *)tally)->count, ((struct tally *)tally)->bytes);
}

/* ---- what is rare becomes one ---- */

/* Each cell to where its groups are now. */
static void move_cells(struct cells *cells)
{
	GHashTable *old = cells->cells;
	GHashTableIter all;
	gpointer key;

	cells->cells = g_hash_table_new_full(cell_hash, cell_equal, cell_free, NULL);
	cells->lanes = 0;
	g_hash_table_iter_init(&all, old);
	while (g_hash_table_iter_next(&all, &key, NULL)) {
		struct cell *cell = key;
		struct group *groups[AXES];

		for (unsigned axis = 0; axis < AXES; axis++)
			groups[axis] = cell->at[axis] ? group_now(cell->at[axis]) : NULL;
		merge(cell_at(cells, groups, cell->kind), cell);
	}
	g_hash_table_unref(old);
}

static void fold(struct cells *cells, enum axis axis, unsigned kept)
{
	groups_fold(&cells->groups, axis, kept);
	move_cells(cells);
	groups_forget_folded(&cells->groups, axis);
}

static enum axis widest_axis(const struct cells *cells, bool lanes)
{
	enum axis widest = AXIS_PROGRAM;

	for (enum axis axis = 0; axis < (lanes ? AXIS_PEER : AXES); axis++)
		if (g_hash_table_size(cells->groups.of[axis]) > g_hash_table_size(cells->groups.of[widest]))
			widest = axis;
	return widest;
}

static void keep_within(struct cells *cells, unsigned limit, unsigned lanes)
{
	for (unsigned kept = KEPT; kept; kept = kept * 3 / 4) {
		bool wide = cells->lanes > lanes;
		enum axis axis;

		if (g_hash_table_size(cells->cells) - cells->lanes <= limit && !wide)
			return;
		axis = widest_axis(cells, wide);
		if (g_hash_table_size(cells->groups.of[axis]) > kept)
			fold(cells, axis, kept);
	}
}

void cells_shrink(struct cells *cells, unsigned limit)
{
	keep_within(cells, limit, cells_lanes);
}

/* ---- counting ---- */

unsigned kind_of(const struct connection *connection)
{
	return connection->close && connection->close->close.outcome == HC_OUTCOME_backlog ? KIND_BACKLOG
	                                                                                   : connection->teardown;
}

static void measure(struct cell *cell, enum measure which, uint64_t value)
{
	if (known64(value))
		cell->measures[which][value ? 64 - __builtin_clzll(value) : 0]++;
}

static void reach(struct cells *cells, uint64_t order)
{
	unsigned halvings = clock_reach(&cells->clock, order);
	GHashTableIter all;
	gpointer key;

	if (!halvings)
		return;
	g_hash_table_iter_init(&all, cells->cells);
	while (g_hash_table_iter_next(&all, &key, NULL))
		for (unsigned i = 0; ((struct cell *)key)->track && i < halvings; i++)
			track_halve(((struct cell *)key)->track);
}

static void measure_all(struct cell *cell, const struct connection *connection)
{
	const struct event *close = connection->close;

	if (!close)
		return;
	add_up(&cell->unread, known_or_zero(close->close.unread));
	if (connection->teardown == TEARDOWN_reset_unread || connection->teardown == TEARDOWN_reset_linger)
		add_up(&cell->unacked, known_or_zero(close->close.unacked));
	measure(cell, MEASURE_UNREAD, close->close.unread);
	measure(cell, MEASURE_UNACKED, close->close.unacked);
	if (connection->shut_at && close->order >= connection->shut_at)
		measure(cell, MEASURE_HALF_CLOSED, (close->order - connection->shut_at) / 1000);
	if (connection->drain.at)
		measure(cell, MEASURE_DRAIN, connection->drain.us);
}

void cells_add(struct cells *cells, const struct connection *connection, bool time_wait, uint64_t first)
{
	struct group *groups[AXES];
	struct cell *cell;

	cells->clock.first = first;
	reach(cells, track_end(connection));
	groups_find(&cells->groups, connection, groups);
	for (unsigned axis = 0; axis < AXES; axis++)
		groups[axis]->count++;
	cell = cell_at(cells, groups, kind_of(connection));
	cell->count++;
	cell->time_wait += time_wait;
	measure_all(cell, connection);
	groups[AXIS_PEER] = NULL;
	track_add(cell_at(cells, groups, kind_of(connection))->track, &cells->clock, connection);
	cells_shrink(cells, cells_limit);
}

void cells_found(struct cells *cells, const struct finding *finding, const struct connection *connection,
                 uint64_t bytes)
{
	struct group *groups[AXES];

	groups_find(&cells->groups, connection, groups);
	tally_add(cell_at(cells, groups, kind_of(connection)), finding, 1, bytes);
	cells_shrink(cells, cells_limit);
}

void cells_groups(struct cells *cells, const struct connection *connection, struct group *groups[AXES])
{
	groups_find(&cells->groups, connection, groups);
	for (unsigned axis = 0; axis < AXES; axis++)
		groups[axis]->references++;
}

void cells_sort(struct cells *cells)
{
	for (unsigned axis = 0; axis < AXES; axis++) {
		cells->sorted[axis] = groups_sorted(&cells->groups, axis);
		for (unsigned i = 0; i < cells->sorted[axis]->len; i++)
			((struct group *)cells->sorted[axis]->pdata[i])->number = i;
	}
}

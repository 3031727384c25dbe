#include "cells.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#define KEPT 48u /* of an axis, when its rare values become one */

unsigned cells_limit = 3000, cells_lanes = 512;

/* How far a peer's address is told at each level; behind the last, all are one. */
static const uint8_t bits4[] = { 32, 24, 16, 8 }, bits6[] = { 128, 64, 48, 32 };

static const char *const others[AXES] = { "other programs", "other ports", "other peers" };

/* ---- groups ---- */

static struct group *group_new(enum axis axis, char *name)
{
	struct group *group = g_new0(struct group, 1);

	group->axis = axis;
	group->name = name;
	group->references = 1;
	return group;
}

const struct group *group_now(const struct group *group)
{
	while (group->into)
		group = group->into;
	return group;
}

static struct group *now(struct group *group)
{
	while (group->into)
		group = group->into;
	return group;
}

void group_release(struct group *group)
{
	while (group && --group->references == 0) {
		struct group *into = group->into;

		g_free(group->name);
		g_free(group);
		group = into;
	}
}

static void release(void *group)
{
	group_release(group);
}

/* The group of that key; a new one where there is none. */
static struct group *group_at(struct cells *cells, enum axis axis, const char *key, const char *name)
{
	struct group *group = g_hash_table_lookup(cells->groups[axis], key);

	if (!group) {
		group = group_new(axis, g_strdup(name));
		g_hash_table_insert(cells->groups[axis], g_strdup(key), group);
	}
	return group;
}

static struct group *group_of_others(struct cells *cells, enum axis axis)
{
	struct group *group = group_at(cells, axis, "", others[axis]);

	group->many = true;
	return group;
}

/* By name, or with the others where the axis takes no new ones. The key begins with a
 * letter, so that no name is taken for the others. */
static struct group *group_named(struct cells *cells, enum axis axis, const char *name)
{
	char *key = g_strconcat("n", name, NULL);
	struct group *group = g_hash_table_lookup(cells->groups[axis], key);

	if (!group)
		group = cells->closed[axis] ? group_of_others(cells, axis) : group_at(cells, axis, key, name);
	g_free(key);
	return group;
}

static struct group *program_of(struct cells *cells, const struct connection *connection)
{
	const char *name = connection->program && *connection->program ? connection->program : "program not recorded";

	return group_named(cells, AXIS_PROGRAM, name);
}

static struct group *service_of(struct cells *cells, const struct connection *connection)
{
	bool connecting = connection->connected || connection->connecting;
	const struct hc_address *address = connecting ? &connection->peer : &connection->local;
	const char *path = connecting ? connection->peer_path : connection->local_path;
	char *name;
	struct group *group;

	if (address->family)
		name = g_strdup_printf("%s%u", connecting ? "to " : "", address->port);
	else if (path && *path)
		name = g_strconcat(connecting ? "to " : "", path, NULL);
	else
		name = g_strdup("port not recorded");
	group = group_named(cells, AXIS_SERVICE, name);
	if (!group->many && address->family) {
		group->port = address->port;
		group->connecting = connecting;
	}
	g_free(name);
	return group;
}

/* An IPv4 address that is written as an IPv6 one is IPv4. */
static void plain_address(const struct hc_address *address, uint8_t *family, uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(ip, 0, 16);
	if (address->family == AF_INET6 && !memcmp(address->ip, mapped, sizeof(mapped))) {
		*family = AF_INET;
		memcpy(ip, address->ip + 12, 4);
	} else {
		*family = (uint8_t)address->family;
		memcpy(ip, address->ip, *family == AF_INET ? 4 : 16);
	}
}

static char *network_name(uint8_t family, const uint8_t ip[16], uint8_t bits)
{
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t masked[16];

	for (unsigned i = 0; i < sizeof(masked); i++)
		masked[i] = (uint8_t)(bits >= 8 * (i + 1) ? ip[i] : bits > 8 * i ? ip[i] & (0xff00 >> (bits - 8 * i)) : 0);
	inet_ntop(family, masked, text, sizeof(text));
	if (bits == (family == AF_INET ? 32 : 128))
		return g_strdup(text);
	return g_strdup_printf("%s/%u", text, bits);
}

static struct group *network_at(struct cells *cells, uint8_t family, const uint8_t ip[16], unsigned level)
{
	struct group *group;
	uint8_t bits;
	char *name, *key;

	if (level >= G_N_ELEMENTS(bits4))
		return group_of_others(cells, AXIS_PEER);
	bits = family == AF_INET ? bits4[level] : bits6[level];
	name = network_name(family, ip, bits);
	key = g_strconcat("n", name, NULL);
	group = group_at(cells, AXIS_PEER, key, name);
	group->family = family;
	group->bits = bits;
	group->many = level != 0;
	memcpy(group->ip, ip, sizeof(group->ip));
	g_free(name);
	g_free(key);
	return group;
}

static struct group *peer_of(struct cells *cells, const struct connection *connection)
{
	uint8_t family, ip[16];
	struct group *group = NULL;
	char *name, *key;

	if (!connection->peer.family)
		return group_named(cells, AXIS_PEER, connection->family == AF_UNIX ? "unix socket" : "peer not recorded");
	plain_address(&connection->peer, &family, ip);
	if (cells->level) { /* it may be one of those that are told apart still */
		name = network_name(family, ip, family == AF_INET ? 32 : 128);
		key = g_strconcat("n", name, NULL);
		group = g_hash_table_lookup(cells->groups[AXIS_PEER], key);
		g_free(key);
		g_free(name);
	}
	return group ? group : network_at(cells, family, ip, cells->level);
}

static void find_groups(struct cells *cells, const struct connection *connection, struct group *groups[AXES])
{
	groups[AXIS_PROGRAM] = program_of(cells, connection);
	groups[AXIS_SERVICE] = service_of(cells, connection);
	groups[AXIS_PEER] = peer_of(cells, connection);
}

void cells_groups(struct cells *cells, const struct connection *connection, struct group *groups[AXES])
{
	find_groups(cells, connection, groups);
	for (unsigned axis = 0; axis < AXES; axis++)
		groups[axis]->references++;
}

/* ---- cells ---- */

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

	g_clear_pointer(&cell->findings, g_hash_table_unref);
	g_free(cell->track);
	g_free(cell);
}

struct cells *cells_new(void)
{
	struct cells *cells = g_new0(struct cells, 1);

	cells->cells = g_hash_table_new_full(cell_hash, cell_equal, cell_free, NULL);
	for (unsigned axis = 0; axis < AXES; axis++)
		cells->groups[axis] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, release);
	return cells;
}

void cells_free(struct cells *cells)
{
	g_hash_table_unref(cells->cells);
	for (unsigned axis = 0; axis < AXES; axis++) {
		g_hash_table_unref(cells->groups[axis]);
		if (cells->sorted[axis])
			g_ptr_array_unref(cells->sorted[axis]);
	}
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
	tally->bytes += bytes;
}

static void merge(struct cell *into, const struct cell *from)
{
	GHashTableIter all;
	gpointer finding, tally;

	into->count += from->count;
	into->unread += from->unread;
	into->unacked += from->unacked;
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

static int by_count(const void *left, const void *right)
{
	const struct group *a = *(struct group *const *)left, *b = *(struct group *const *)right;

	if (a->many != b->many)
		return a->many ? 1 : -1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

static GPtrArray *sorted_groups(const struct cells *cells, enum axis axis)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter all;
	gpointer group;

	g_hash_table_iter_init(&all, cells->groups[axis]);
	while (g_hash_table_iter_next(&all, NULL, &group))
		g_ptr_array_add(list, group);
	g_ptr_array_sort(list, by_count);
	return list;
}

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
			groups[axis] = cell->at[axis] ? now(cell->at[axis]) : NULL;
		merge(cell_at(cells, groups, cell->kind), cell);
	}
	g_hash_table_unref(old);
}

static struct group *wider(struct cells *cells, const struct group *group)
{
	if (group->axis == AXIS_PEER && group->family)
		return network_at(cells, group->family, group->ip, cells->level);
	return group_of_others(cells, group->axis);
}

/* Of peers there may be as many as connections: then those that come again and again
 * are worth a name. */
static bool is_frequent(const struct group *group, uint64_t total)
{
	return group->axis != AXIS_PEER || group->count * 100 >= total;
}

static void fold(struct cells *cells, enum axis axis, unsigned kept)
{
	GPtrArray *list = sorted_groups(cells, axis);
	uint64_t total = 0;

	for (unsigned i = 0; i < list->len; i++)
		total += ((struct group *)list->pdata[i])->count;
	cells->closed[axis] = true;
	if (axis == AXIS_PEER)
		cells->level++;
	for (unsigned i = 0; i < list->len; i++) {
		struct group *group = list->pdata[i], *into;

		if (i < kept && !group->many && is_frequent(group, total))
			continue;
		into = wider(cells, group);
		if (into == group)
			continue;
		into->count += group->count;
		into->references++;
		group->into = into;
	}
	move_cells(cells);
	for (unsigned i = 0; i < list->len; i++) {
		struct group *group = list->pdata[i];
		char *key = g_strconcat("n", group->name, NULL);

		if (group->into) /* frees it, where nobody else has it */
			g_hash_table_remove(cells->groups[axis], key);
		g_free(key);
	}
	g_ptr_array_unref(list);
}

static enum axis widest_axis(const struct cells *cells, bool lanes)
{
	enum axis widest = AXIS_PROGRAM;

	for (enum axis axis = 0; axis < (lanes ? AXIS_PEER : AXES); axis++)
		if (g_hash_table_size(cells->groups[axis]) > g_hash_table_size(cells->groups[widest]))
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
		if (g_hash_table_size(cells->groups[axis]) > kept)
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
	return connection->close && connection->close->close.outcome == HC_OUTCOME_backlog ? KIND_BACKLOG :
	                                                                                   connection->teardown;
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
	cell->unread += known_or_zero(close->close.unread);
	if (connection->teardown == TEARDOWN_reset_unread || connection->teardown == TEARDOWN_reset_linger)
		cell->unacked += known_or_zero(close->close.unacked);
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
	find_groups(cells, connection, groups);
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

	find_groups(cells, connection, groups);
	tally_add(cell_at(cells, groups, kind_of(connection)), finding, 1, bytes);
	cells_shrink(cells, cells_limit);
}

void cells_sort(struct cells *cells)
{
	for (unsigned axis = 0; axis < AXES; axis++) {
		cells->sorted[axis] = sorted_groups(cells, axis);
		for (unsigned i = 0; i < cells->sorted[axis]->len; i++)
			((struct group *)cells->sorted[axis]->pdata[i])->number = i;
	}
}

#include "rows.h"

#define EACH 40u         /* of a finding, where not all are kept */
#define FINDINGS_MOST 4u /* of a connection, where all are; listeners have some, too */

unsigned rows_limit = 1000, rows_found_limit = 1200;

static void row_release(struct rows *rows, struct row *row)
{
	if (--row->references)
		return;
	g_hash_table_remove(rows->by_number, GUINT_TO_POINTER(row->number));
	for (unsigned axis = 0; axis < AXES; axis++)
		group_release(row->at[axis]);
	g_free(row->local);
	g_free(row->peer);
	g_free(row);
}

struct rows *rows_new(void)
{
	struct rows *rows = g_new0(struct rows, 1);

	rows->all = g_ptr_array_new();
	rows->each = UINT_MAX;
	rows->by_number = g_hash_table_new(NULL, NULL);
	rows->found = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
	return rows;
}

static void cut_to(struct rows *rows, GArray *list, unsigned limit)
{
	while (list->len > limit) {
		row_release(rows, g_array_index(list, struct found_row, list->len - 1).row);
		g_array_set_size(list, list->len - 1);
		rows->total--;
	}
}

static void cut_each(struct rows *rows, unsigned limit)
{
	GHashTableIter all;
	gpointer list;

	rows->each = limit;
	g_hash_table_iter_init(&all, rows->found);
	while (g_hash_table_iter_next(&all, NULL, &list))
		cut_to(rows, list, limit);
}

static void drop_all(struct rows *rows)
{
	if (!rows->all)
		return;
	for (unsigned i = 0; i < rows->all->len; i++)
		row_release(rows, rows->all->pdata[i]);
	g_ptr_array_unref(rows->all);
	rows->all = NULL;
}

void rows_free(struct rows *rows)
{
	cut_each(rows, 0);
	drop_all(rows);
	g_hash_table_unref(rows->by_number);
	g_hash_table_unref(rows->found);
	g_free(rows);
}

static void take_close(struct row *row, const struct event *close)
{
	row->close = close->order;
	row->pid = close->record.pid;
	row->fd = close->close.socket.fd;
	row->how = value_name(FIELD_how, close->close.how);
	row->unread = close->close.unread;
	row->unacked = close->close.unacked;
	row->sent = close->close.sent;
	row->received = close->close.received;
}

static struct row *row_of(struct rows *rows, struct cells *cells, const struct connection *connection)
{
	struct row *row = g_hash_table_lookup(rows->by_number, GUINT_TO_POINTER(connection->number));

	if (row) {
		row->references++;
		return row;
	}
	row = g_new0(struct row, 1);
	row->references = 1;
	row->number = connection->number;
	row->kind = kind_of(connection);
	row->pid = connection->pid;
	row->fd = connection->fd;
	row->born = connection->born;
	row->shut = connection->shut_at;
	row->drain = connection->drain.at;
	row->unread = row->unacked = row->sent = row->received = UINT64_MAX;
	row->local = connection_local(connection);
	row->peer = connection_peer(connection);
	if (connection->close)
		take_close(row, connection->close);
	cells_groups(cells, connection, row->at);
	g_hash_table_insert(rows->by_number, GUINT_TO_POINTER(row->number), row);
	return row;
}

static void keep_the_worst(struct rows *rows)
{
	drop_all(rows);
	cut_each(rows, MIN(rows->each, EACH));
	while (rows->total > rows_found_limit && rows->each > 1)
		cut_each(rows, rows->each * 2 / 3);
}

void rows_add(struct rows *rows, struct cells *cells, const struct connection *connection, bool time_wait)
{
	struct row *row;

	if (!rows->all)
		return;
	if (rows->all->len == rows_limit) {
		keep_the_worst(rows);
		return;
	}
	row = row_of(rows, cells, connection);
	row->time_wait = time_wait;
	g_ptr_array_add(rows->all, row);
}

static GArray *list_of(struct rows *rows, const struct finding *finding)
{
	GArray *list = g_hash_table_lookup(rows->found, finding);

	if (!list) {
		list = g_array_new(FALSE, FALSE, sizeof(struct found_row));
		g_hash_table_insert(rows->found, (gpointer)finding, list);
	}
	return list;
}

void rows_found(struct rows *rows, struct cells *cells, const struct finding *finding,
                const struct connection *connection, uint64_t bytes)
{
	GArray *list = list_of(rows, finding);
	struct found_row found = { .bytes = bytes };
	unsigned at = list->len;

	while (at && g_array_index(list, struct found_row, at - 1).bytes < bytes)
		at--;
	if (at >= rows->each)
		return;
	found.row = row_of(rows, cells, connection);
	g_array_insert_val(list, at, found);
	rows->total++;
	cut_to(rows, list, rows->each);
	if (rows->total > (rows->all ? FINDINGS_MOST * rows_limit : rows_found_limit))
		keep_the_worst(rows);
	if (!rows->all && rows->total > rows_found_limit) /* a row of each finding is too much already */
		cut_to(rows, list, list->len - 1);
}

static int by_birth(const void *left, const void *right)
{
	const struct row *a = *(struct row *const *)left, *b = *(struct row *const *)right;

	if (a->born != b->born)
		return a->born < b->born ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

GPtrArray *rows_sorted(const struct rows *rows)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter all;
	gpointer row;

	g_hash_table_iter_init(&all, rows->by_number);
	while (g_hash_table_iter_next(&all, NULL, &row))
		g_ptr_array_add(list, row);
	g_ptr_array_sort(list, by_birth);
	return list;
}

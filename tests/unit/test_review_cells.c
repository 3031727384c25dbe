/* Cells and rows: bounded, and nothing is lost of the sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "rows.h"

#define SECOND 1000000000u

static struct event *a_close(uint64_t order, uint64_t unread)
{
	struct event *event = g_malloc0(sizeof(*event) + 8);

	event->kind = HC_EVENT_close;
	event->order = order;
	event->close.unread = unread;
	event->close.unacked = 10;
	event->close.sent = event->close.received = UINT64_MAX;
	event->close.outcome = HC_OUTCOME_reset_unread;
	return event;
}

/* The n-th: reset, at a port of ports, by a peer of its own in 10.0.0.0/8. */
static struct connection *a_connection(unsigned n, unsigned ports, unsigned peers)
{
	struct connection *connection = g_new0(struct connection, 1);
	uint32_t ip = htonl(10u << 24 | n % peers);

	connection->number = n + 1;
	connection->accepted = true;
	connection->fd = 3;
	connection->program = "/bin/server";
	connection->local = (struct hc_address){ .family = AF_INET, .port = (uint16_t)(1 + n % ports) };
	connection->peer = (struct hc_address){ .family = AF_INET, .port = 4000 };
	memcpy(connection->peer.ip, &ip, sizeof(ip));
	connection->born = (n + 1) * (uint64_t)SECOND;
	connection->close = a_close(connection->born + SECOND / 2, n);
	connection->teardown = TEARDOWN_reset_unread;
	return connection;
}

static void done(struct connection *connection)
{
	g_free(connection->close);
	g_free(connection);
}

struct sums {
	uint64_t count, unread, unacked, time_wait, measured, came, left, found, bytes;
};

static uint64_t total(const uint32_t *numbers, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += numbers[i];
	return sum;
}

static struct sums sums_of(const struct cells *cells, const struct finding *finding)
{
	struct sums sums = { 0 };
	GHashTableIter all;
	gpointer key;

	g_hash_table_iter_init(&all, cells->cells);
	while (g_hash_table_iter_next(&all, &key, NULL)) {
		const struct cell *cell = key;
		const struct tally *tally = cell->findings ? g_hash_table_lookup(cell->findings, finding) : NULL;

		sums.count += cell->count;
		sums.unread += cell->unread;
		sums.unacked += cell->unacked;
		sums.time_wait += cell->time_wait;
		sums.measured += total(cell->measures[MEASURE_UNREAD], BUCKETS);
		if (cell->track) {
			sums.came += total(cell->track->in[PHASE_OPEN], TRACK_BINS);
			sums.left += total(cell->track->out[PHASE_OPEN], TRACK_BINS);
		}
		sums.found += tally ? tally->count : 0;
		sums.bytes += tally ? tally->bytes : 0;
	}
	return sums;
}

static void many_become_few(void **state)
{
	struct cells *cells = cells_new();
	struct finding finding = { 0 };
	struct group *first[AXES];
	const unsigned n = 20000;
	struct sums sums;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct connection *connection = a_connection(i, 700, 5000);

		cells_found(cells, &finding, connection, 2);
		cells_add(cells, connection, i % 2, SECOND);
		if (!i)
			cells_groups(cells, connection, first);
		done(connection);
		assert_true(g_hash_table_size(cells->cells) - cells->lanes <= cells_limit);
		assert_true(cells->lanes <= cells_lanes);
	}
	cells_shrink(cells, 100);
	assert_true(g_hash_table_size(cells->cells) - cells->lanes <= 100);
	sums = sums_of(cells, &finding);
	assert_int_equal(sums.count, n);
	assert_int_equal(sums.unread, (uint64_t)n * (n - 1) / 2);
	assert_int_equal(sums.unacked, 10 * n);
	assert_int_equal(sums.time_wait, n / 2);
	assert_int_equal(sums.measured, n);
	assert_int_equal(sums.came, n);
	assert_int_equal(sums.left, n);
	assert_int_equal(sums.found, n);
	assert_int_equal(sums.bytes, 2 * n);

	/* what was kept of the first follows to where it is now */
	cells_sort(cells);
	for (unsigned axis = 0; axis < AXES; axis++) {
		const struct group *now = group_now(first[axis]);

		assert_ptr_equal(cells->sorted[axis]->pdata[now->number], now);
		group_release(first[axis]);
	}
	cells_free(cells);
}

static bool has_group(const struct cells *cells, enum axis axis, const char *name)
{
	for (unsigned i = 0; i < cells->sorted[axis]->len; i++)
		if (!strcmp(((struct group *)cells->sorted[axis]->pdata[i])->name, name))
			return true;
	return false;
}

static void a_frequent_peer_keeps_its_line(void **state)
{
	struct cells *cells = cells_new();

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		struct connection *connection = a_connection(i, 3, 1u << 20);

		if (i % 10 == 0)
			inet_pton(AF_INET, "192.0.2.7", connection->peer.ip);
		cells_add(cells, connection, false, SECOND);
		done(connection);
	}
	cells_sort(cells);
	assert_true(has_group(cells, AXIS_PEER, "192.0.2.7"));
	assert_false(has_group(cells, AXIS_PEER, "10.0.0.1"));
	assert_true(cells->sorted[AXIS_PEER]->len < 300);
	assert_true(has_group(cells, AXIS_SERVICE, "3"));
	cells_free(cells);
}

static void one_program_is_not_thrown_together(void **state)
{
	struct cells *cells = cells_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct connection *connection = a_connection(i, 20, 50);

		cells_add(cells, connection, false, SECOND);
		done(connection);
	}
	cells_sort(cells);
	assert_int_equal(cells->sorted[AXIS_SERVICE]->len, 20);
	assert_int_equal(cells->sorted[AXIS_PEER]->len, 50);
	cells_free(cells);
}

static void rows_are_all_or_the_worst(void **state)
{
	struct cells *cells = cells_new();
	struct rows *rows = rows_new();
	struct finding finding = { 0 };
	GPtrArray *list;
	GArray *found;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct connection *connection = a_connection(i, 5, 5);

		rows_found(rows, cells, &finding, connection, i * 7919 % 5000);
		rows_add(rows, cells, connection, false);
		done(connection);
		assert_int_equal(rows->all != NULL, i < rows_limit);
		if (rows->all)
			assert_int_equal(g_hash_table_size(rows->by_number), i + 1);
	}
	list = rows_sorted(rows);
	assert_true(list->len <= 40);
	for (unsigned i = 1; i < list->len; i++)
		assert_true(((struct row *)list->pdata[i])->born > ((struct row *)list->pdata[i - 1])->born);
	g_ptr_array_unref(list);
	found = g_hash_table_lookup(rows->found, &finding);
	assert_int_equal(found->len, 40);
	for (unsigned i = 0; i < found->len; i++)
		assert_int_equal(g_array_index(found, struct found_row, i).bytes, 4999 - i);
	rows_free(rows);
	cells_free(cells);
}

static void many_findings_have_few_rows(void **state)
{
	static struct finding findings[3000];
	struct cells *cells = cells_new();
	struct rows *rows = rows_new();

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		struct connection *connection = a_connection(i, 5, 5);

		rows_found(rows, cells, &findings[i % 3000], connection, 1);
		rows_add(rows, cells, connection, false);
		done(connection);
		assert_true(rows->all || g_hash_table_size(rows->by_number) <= rows_found_limit);
	}
	assert_int_equal(g_hash_table_size(rows->by_number), rows_found_limit);
	rows_free(rows);
	cells_free(cells);
}

/* Listeners are in no list of connections. */
static void listeners_are_bounded(void **state)
{
	struct finding finding = { 0 };
	struct cells *cells = cells_new();
	struct rows *rows = rows_new();

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		struct connection *connection = a_connection(i, 5, 5);

		rows_found(rows, cells, &finding, connection, 0);
		done(connection);
		assert_true(g_hash_table_size(rows->by_number) <= 4 * rows_limit);
	}
	assert_null(rows->all);
	rows_free(rows);
	cells_free(cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_become_few),
		cmocka_unit_test(a_frequent_peer_keeps_its_line),
		cmocka_unit_test(one_program_is_not_thrown_together),
		cmocka_unit_test(rows_are_all_or_the_worst),
		cmocka_unit_test(many_findings_have_few_rows),
		cmocka_unit_test(listeners_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

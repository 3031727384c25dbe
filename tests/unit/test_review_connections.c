/* Memory follows the open connections; an exec that failed voids its closes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <time.h>

#include "connections.h"
#include "recording.h"

static struct recording recording;
static struct processes *processes;
static struct connections *connections;
static unsigned judged, pairs;
static uint64_t now;

static void count(struct connection *connection, void *data)
{
	(void)data;
	judged++;
	pairs += connection->other != NULL;
}

static int setup(void **state)
{
	(void)state;
	processes = processes_new();
	connections = connections_new(processes, count, NULL);
	judged = pairs = 0;
	now = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	connections_free(connections);
	processes_free(processes);
	return 0;
}

static struct event event_of(enum hc_event kind, uint64_t sock)
{
	struct event event = { .recording = &recording, .kind = kind, .order = now += 1000 };

	event.record.pid = event.record.tid = 1;
	event.common.socket = (struct hc_socket){ sock, UINT64_MAX, 3, AF_INET, 0 };
	return event;
}

static struct hc_address address(uint16_t port)
{
	return (struct hc_address){ AF_INET, port, 0, { 127, 0, 0, 1 } };
}

static void feed(const struct event *event)
{
	connections_event(connections, event);
}

static void feed_accept(uint64_t sock, uint16_t port)
{
	struct event event = event_of(HC_EVENT_accept, sock);

	event.accept.local = address(80);
	event.accept.peer = address(port);
	feed(&event);
}

static void feed_close(uint64_t sock, uint8_t how, uint8_t outcome)
{
	struct event event = event_of(HC_EVENT_close, sock);

	event.close.how = how;
	event.close.state = HC_STATE_established;
	event.close.outcome = outcome;
	feed(&event);
}

static void test_memory(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 20000; i++) {
		feed_accept(i, (uint16_t)(i % 60000));
		feed_close(i, HC_HOW_close, HC_OUTCOME_fin);
		assert_true(g_hash_table_size(connections->by_name) <= CONNECTIONS_KEPT + 1);
		assert_true(g_hash_table_size(connections->by_ends) <= CONNECTIONS_KEPT + 1);
	}
	assert_int_equal(judged, 20000 - CONNECTIONS_KEPT);
	connections_finish(connections);
	assert_int_equal(judged, 20000);
	assert_int_equal(g_hash_table_size(connections->by_name), 0);
	assert_int_equal(g_hash_table_size(connections->by_ends), 0);
}

static void test_conversation(void **state)
{
	struct event event = event_of(HC_EVENT_connect, 1);

	(void)state;
	event.connect.result = 0;
	event.connect.local = address(4001);
	event.connect.peer = address(80);
	feed(&event);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	feed_accept(2, 4001);
	connections_finish(connections);
	assert_int_equal(judged, 2);
	assert_int_equal(pairs, 2);
}

/* What a damaged recording can say of one socket: its place among the ends moves. */
static void test_address_changes(void **state)
{
	struct event listen = event_of(HC_EVENT_listen, 1), adopt = event_of(HC_EVENT_adopt, 2);

	(void)state;
	feed_accept(1, 4001);
	listen.listen.local = address(81);
	feed(&listen);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	/* two that turn out to be one */
	adopt.common.socket.cookie = 7;
	adopt.adopt.state = HC_STATE_established;
	adopt.adopt.peer = address(4002);
	feed(&adopt);
	feed_accept(3, 4003);
	adopt.common.socket.sock = 3;
	feed(&adopt);
	connections_finish(connections);
	assert_int_equal(g_hash_table_size(connections->by_ends), 0);
	assert_int_equal(g_hash_table_size(connections->by_cookie), 0);
}

/* A server's clients often have the same ports: 100,000 from as many addresses. */
static void test_many_of_the_same_ports(void **state)
{
	clock_t start = clock();

	(void)state;
	for (uint32_t i = 1; i <= 100000; i++) {
		struct event event = event_of(HC_EVENT_accept, i);

		event.accept.local = address(80);
		event.accept.peer = address(4001);
		memcpy(event.accept.peer.ip, &i, sizeof(i));
		feed(&event);
	}
	assert_int_equal(g_hash_table_size(connections->by_ends), 100000);
	assert_true(clock() - start < 10 * CLOCKS_PER_SEC); /* of its own: 0.1 s, or minutes */
}

/* `log` frees them without finishing: a leak is for the sanitizer to see. */
static void test_waits_for_its_other_end(void **state)
{
	struct event event = event_of(HC_EVENT_connect, 1);

	(void)state;
	event.connect.result = 0;
	event.connect.local = address(60001);
	event.connect.peer = address(80);
	feed(&event);
	feed_accept(2, 60001);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	for (unsigned i = 3; i <= CONNECTIONS_KEPT + 3; i++) {
		feed_accept(i, (uint16_t)i);
		feed_close(i, HC_HOW_close, HC_OUTCOME_fin);
	}
	assert_int_equal(judged, 1);
}

/* A drain may end long after its close; what many other ends come between stays one. */
static void test_drain_ends_late(void **state)
{
	struct event drain;
	unsigned number;

	(void)state;
	feed_accept(1, 4001);
	feed_close(1, HC_HOW_close, HC_OUTCOME_drain);
	for (unsigned i = 2; i <= 2 * CONNECTIONS_KEPT; i++) {
		feed_accept(i, (uint16_t)i);
		feed_close(i, HC_HOW_close, HC_OUTCOME_fin);
	}
	number = connections_number(connections, &recording, 1);
	drain = event_of(HC_EVENT_drain, 1);
	drain.drain.drained = 5;
	drain.drain.saved = 7;
	feed(&drain);
	assert_int_equal(number, 1);
	assert_int_equal(connections_number(connections, &recording, 1), 1);
	connections_finish(connections);
	assert_int_equal(judged, 2 * CONNECTIONS_KEPT);
}

static void test_copy(void **state)
{
	struct event event = event_of(HC_EVENT_connect, 1);
	struct connection *copy;

	(void)state;
	event.connect.result = 0;
	event.connect.local = address(60001);
	event.connect.peer = address(80);
	feed(&event);
	feed_accept(2, 60001);
	event = event_of(HC_EVENT_shutdown, 2);
	event.shutdown.side = HC_SIDE_wr;
	event.shutdown.state = HC_STATE_established;
	feed(&event);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	copy = connection_copy(connections->open);
	connections_finish(connections);
	assert_int_equal(copy->number, 2);
	assert_int_equal(copy->born, 2000);
	assert_int_equal(copy->shut_at, 3000);
	assert_null(copy->close);
	assert_ptr_equal(copy->other->other, copy);
	assert_int_equal(copy->other->close->close.outcome, HC_OUTCOME_fin);
	connection_copy_free(copy);
}

static void test_exec_failed(void **state)
{
	struct event failed;

	(void)state;
	feed_accept(1, 4001);
	feed_close(1, HC_HOW_exec, HC_OUTCOME_reset_unread);
	assert_int_equal(connections->closes, 0);
	failed = event_of(HC_EVENT_exec_failed, 0);
	feed(&failed);
	assert_int_equal(connections->closes, 0);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	assert_int_equal(connections->closes, 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_fin], 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_reset_unread], 0);
}

static void test_two_last_closes(void **state)
{
	(void)state;
	feed_accept(1, 4001);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	feed_close(1, HC_HOW_close, HC_OUTCOME_reset_unread);
	connections_finish(connections);
	assert_int_equal(judged, 1);
	assert_int_equal(connections->closes, 2);
	assert_int_equal(connections->outcomes[HC_OUTCOME_fin], 0);
	assert_int_equal(connections->outcomes[HC_OUTCOME_shared], 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_reset_unread], 1);
}

static void test_unknown_is_not_the_last(void **state)
{
	(void)state;
	feed_accept(1, 4001);
	feed_close(1, HC_HOW_close, HC_OUTCOME_reset_unread);
	feed_close(1, HC_HOW_exit, HC_OUTCOME_unknown);
	assert_int_equal(connections->outcomes[HC_OUTCOME_reset_unread], 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_shared], 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_unknown], 0);
}

/* The close by exec comes first, and is believed last. */
static void test_exec_is_not_the_last(void **state)
{
	struct event other = event_of(HC_EVENT_close, 1);

	(void)state;
	feed_accept(1, 4001);
	feed_close(1, HC_HOW_exec, HC_OUTCOME_fin);
	other.order = now += 1000;
	other.record.pid = other.record.tid = 2;
	other.close.how = HC_HOW_close;
	other.close.outcome = HC_OUTCOME_reset_unread;
	feed(&other);
	connections_finish(connections);
	assert_int_equal(connections->closes, 2);
	assert_int_equal(connections->outcomes[HC_OUTCOME_reset_unread], 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_shared], 1);
	assert_int_equal(connections->outcomes[HC_OUTCOME_fin], 0);
}

static unsigned visited;

static void visit(struct connection *connection, void *data)
{
	(void)connection;
	(void)data;
	visited++;
}

static unsigned visits(bool ended)
{
	visited = 0;
	if (ended)
		connections_ended(connections, visit, NULL);
	else
		connections_open(connections, visit, NULL);
	return visited;
}

/* Who watches a recording that grows sees each end once, and what is open as often as he looks. */
static void test_visits(void **state)
{
	(void)state;
	feed_accept(1, 4001);
	feed_accept(2, 4002);
	assert_int_equal(visits(false), 2);
	assert_int_equal(visits(true), 0);
	feed_close(1, HC_HOW_close, HC_OUTCOME_fin);
	assert_int_equal(visits(false), 1);
	assert_int_equal(visits(true), 1);
	assert_int_equal(visits(true), 0);
	feed_close(2, HC_HOW_close, HC_OUTCOME_drain);
	assert_int_equal(visits(true), 0); /* its drain has not ended */
	assert_int_equal(visits(false), 1);
	feed_accept(3, 4003);
	feed_accept(4, 4004);
	feed_close(3, HC_HOW_close, HC_OUTCOME_reset_unread);
	feed_close(4, HC_HOW_close, HC_OUTCOME_shared);
	assert_int_equal(visits(true), 1);
	assert_int_equal(visits(false), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_visits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conversation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_of_the_same_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_its_other_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain_ends_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_last_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_is_not_the_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_is_not_the_last, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

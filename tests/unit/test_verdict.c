/* uses: verdict
 *
 * The verdict is a table: facts in, outcome out. The truth suite holds the same
 * table against the kernel's counters. */
#include "verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CASE(expected, state_, ...) \
	do { \
		struct hc_facts facts = { .state = HC_STATE_##state_, .unread_known = true, __VA_ARGS__ }; \
		assert_int_equal(hc_verdict(&facts), HC_OUTCOME_##expected); \
	} while (0)

static void every_state_without_unread_is_orderly(void **state)
{
	(void)state;
	CASE(fin, established);
	CASE(fin, close_wait);
	CASE(fin, fin_wait_1);
	CASE(fin, fin_wait_2);
	CASE(fin, last_ack);
	CASE(none, closed);
	CASE(none, syn_sent);
	CASE(none, listening);
}

static void unread_input_resets_in_every_state_but_closed(void **state)
{
	(void)state;
	CASE(reset_unread, established, .unread = 1);
	CASE(reset_unread, close_wait, .unread = 1);
	CASE(reset_unread, fin_wait_2, .unread = 1);
	CASE(reset_unread, last_ack, .unread = 1);
	CASE(none, closed, .unread = 1);
}

static void unread_input_wins_over_linger(void **state)
{
	(void)state;
	CASE(reset_linger, established, .linger0 = true);
	CASE(reset_unread, established, .linger0 = true, .unread = 5);
	CASE(none, syn_sent, .linger0 = true);
	CASE(none, closed, .linger0 = true);
}

static void what_fell_back_to_tcp_does_not_see_the_unread(void **state)
{
	(void)state;
	CASE(fin, established, .unread = 1, .fell_back = true);
	CASE(reset_linger, established, .unread = 1, .fell_back = true, .linger0 = true);
}

static void a_listener_resets_what_waits(void **state)
{
	(void)state;
	CASE(backlog, listening, .waiting = 3);
	CASE(none, listening, .waiting = 0);
}

static void unix_sockets_know_no_linger(void **state)
{
	(void)state;
	CASE(fin, established, .unix_socket = true, .linger0 = true);
	CASE(reset_unread, established, .unix_socket = true, .unread = 1);
}

static void what_is_not_known_is_not_claimed(void **state)
{
	(void)state;
	struct hc_facts nothing = { .linger0 = true };
	assert_int_equal(hc_verdict(&nothing), HC_OUTCOME_unknown);
	nothing.state = HC_STATE_closed;
	assert_int_equal(hc_verdict(&nothing), HC_OUTCOME_none);
}

/* Rows as TCP_INFO gave them (Linux 6.18): bytes_acked counts the SYN of the
 * connecting side and every acknowledged FIN, bytes_received the peer's FIN. */
#define COUNT(connected_, sent_, retrans_, acked_, notsent_, received_, state_, fin_, ...) \
	do { \
		struct hc_tcp_counts counts = { sent_, retrans_, acked_, received_, notsent_ }; \
		struct hc_facts facts = { .state = HC_STATE_##state_, .peer_fin = fin_ }, expected = { __VA_ARGS__ }; \
		hc_count(&facts, &counts, connected_); \
		assert_true(facts.counted); \
		assert_int_equal(facts.sent, expected.sent); \
		assert_int_equal(facts.received, expected.received); \
		assert_int_equal(facts.unacked, expected.unacked); \
		assert_int_equal(facts.peer_fin, expected.peer_fin); \
	} while (0)

static void counts_are_bytes_of_the_program(void **state)
{
	(void)state;
	COUNT(true, 0, 0, 1, 0, 0, established, false, .sent = 0);
	COUNT(true, 100, 0, 101, 0, 300, established, false, .sent = 100, .received = 300);
	COUNT(false, 300, 0, 300, 0, 101, close_wait, false, .sent = 300, .received = 100, .peer_fin = true);
	COUNT(true, 100, 0, 102, 0, 301, closed, true, .sent = 100, .received = 300, .peer_fin = true);
	COUNT(true, 100, 0, 101, 0, 0, fin_wait_1, false, .sent = 100);
	COUNT(true, 0, 0, 2, 0, 5, closed, false, .sent = 0, .received = 5);
}

static void unacked_is_in_flight_and_not_sent(void **state)
{
	(void)state;
	COUNT(false, 1000, 0, 400, 0, 0, established, false, .sent = 1000, .unacked = 600);
	COUNT(true, 1000, 0, 401, 50, 0, established, false, .sent = 1050, .unacked = 650);
	COUNT(false, 1500, 500, 400, 0, 0, established, false, .sent = 1000, .unacked = 600);
	/* a FIN that waits behind unsent data takes a place in the sequence */
	COUNT(false, 1000, 0, 400, 51, 0, fin_wait_1, false, .sent = 1050, .unacked = 650);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_without_unread_is_orderly),
		cmocka_unit_test(unread_input_resets_in_every_state_but_closed),
		cmocka_unit_test(unread_input_wins_over_linger),
		cmocka_unit_test(what_fell_back_to_tcp_does_not_see_the_unread),
		cmocka_unit_test(a_listener_resets_what_waits),
		cmocka_unit_test(unix_sockets_know_no_linger),
		cmocka_unit_test(what_is_not_known_is_not_claimed),
		cmocka_unit_test(counts_are_bytes_of_the_program),
		cmocka_unit_test(unacked_is_in_flight_and_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

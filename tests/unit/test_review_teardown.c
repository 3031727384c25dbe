/* The judgement of how a connection ended, by table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "teardown.h"

#define S(name) HC_STATE_##name
#define O(name) HC_OUTCOME_##name

static const struct {
	const char *wanted;
	struct teardown_facts facts; /* closed, outcome, state, peer_fin, shut, shut_state */
} table[] = {
	{ "open", { false, 0, 0, false, false, 0 } },
	{ "open", { false, 0, 0, false, true, S(established) } },
	{ "reset-unread", { true, O(reset_unread), S(established), false, false, 0 } },
	{ "reset-unread", { true, O(reset_unread), S(fin_wait_2), false, true, S(established) } },
	{ "reset-linger", { true, O(reset_linger), S(close_wait), true, false, 0 } },
	{ "drained", { true, O(drain), S(established), false, false, 0 } },
	{ "unknown", { true, O(unknown), S(unknown), false, false, 0 } },
	{ "active", { true, O(fin), S(established), false, false, 0 } },
	{ "active", { true, O(fin), S(syn_received), false, false, 0 } },
	{ "passive", { true, O(fin), S(close_wait), true, false, 0 } },
	{ "passive", { true, O(fin), S(last_ack), true, true, S(close_wait) } },
	{ "passive", { true, O(none), S(closed), true, true, S(close_wait) } },
	{ "half-close", { true, O(none), S(closed), true, true, S(established) } },
	{ "half-close", { true, O(fin), S(closing), true, true, S(established) } },
	{ "half-close", { true, O(fin), S(time_wait), true, true, S(established) } },
	{ "half-close-cut", { true, O(fin), S(fin_wait_1), false, true, S(established) } },
	{ "half-close-cut", { true, O(fin), S(fin_wait_2), false, true, S(syn_sent) } },
	{ "reset-by-peer", { true, O(none), S(closed), false, true, S(established) } },
	{ "reset-by-peer", { true, O(none), S(closed), false, false, 0 } },
	{ "reset-by-peer", { true, O(none), S(closed), true, false, 0 } },
	/* no state is known: what was seen decides */
	{ "active", { true, O(fin), S(unknown), false, false, 0 } },
	{ "passive", { true, O(fin), S(unknown), true, false, 0 } },
	{ "half-close", { true, O(fin), S(unknown), true, true, S(unknown) } },
	{ "half-close-cut", { true, O(fin), S(unknown), false, true, S(unknown) } },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *name = teardown_name(teardown_of(&table[i].facts));

		if (strcmp(name, table[i].wanted) != 0)
			fail_msg("row %zu: %s, not %s", i, name, table[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* uses: verdict
 *
 * The slots of halfclose-drain: deadlines and ages against a plain list. */
#include "../../drain/slots.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 300 };

static int set_up(void **state)
{
	(void)state;
	return !slots_init(MOST);
}

static uint32_t mine[MOST];
static uint64_t due[MOST];
static unsigned held;

static void check(void)
{
	uint64_t soonest = UINT64_MAX;
	unsigned i = 0;
	for (unsigned n = 0; n < held; n++)
		soonest = least(soonest, due[n]);
	assert_int_equal(slots_used(), held);
	if (!held) {
		assert_int_equal(slot_next_due(), NO_SLOT);
		assert_int_equal(slot_oldest(), NO_SLOT);
		return;
	}
	assert_int_equal(slot_of(slot_next_due())->deadline, soonest);
	for (uint32_t slot = slot_oldest(); slot; slot = slot_newer(slot))
		assert_int_equal(slot, mine[i++]);
	assert_int_equal(i, held);
}

static void drop(unsigned n)
{
	slot_give(mine[n]);
	for (held--; n < held; n++) {
		mine[n] = mine[n + 1];
		due[n] = due[n + 1];
	}
}

static void deadlines_and_ages_are_kept(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		unsigned n = held ? (unsigned)random() % held : 0;
		uint64_t deadline = (uint64_t)random() % 1000;
		switch (random() % 4) {
		case 0:
		case 1:
			if (held == MOST) {
				assert_int_equal(slot_take(i, deadline), NO_SLOT);
				break;
			}
			mine[held] = slot_take(i, deadline);
			assert_int_not_equal(mine[held], NO_SLOT);
			assert_int_equal(slot_of(mine[held])->fd, i);
			due[held++] = deadline;
			break;
		case 2:
			if (held)
				drop(n);
			break;
		default:
			if (held)
				slot_set_deadline(mine[n], due[n] = deadline);
		}
		if (i % 16 == 0)
			check();
	}
	while (held) {
		drop((unsigned)random() % held);
		check();
	}
}

/* As new: in the same order again. */
static void what_is_forgotten_is_free(void **state)
{
	(void)state;
	held = 0;
	for (int times = 0; times < 2; times++) {
		for (int i = 0; i < MOST; i++) {
			mine[held] = slot_take(i, due[held] = (uint64_t)random() % 1000);
			assert_int_not_equal(mine[held++], NO_SLOT);
		}
		for (int i = 0; i < MOST / 3; i++)
			drop((unsigned)random() % held);
		check();
		slots_forget();
		held = 0;
		check();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_and_ages_are_kept),
		cmocka_unit_test(what_is_forgotten_is_free),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}

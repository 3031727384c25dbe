/* uses: warn text options only stack python recorder views process libc
 *
 * Which warnings of a call site are written. */
#include "warn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_site_speaks_three_times_and_at_powers_of_ten(void **state)
{
	static const int site;
	uint32_t sum = 0, times = 0;
	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t due = hc_warn_due(&site);
		sum += due;
		times += due != 0;
	}
	assert_int_equal(times, 7);
	assert_int_equal(sum, 1 + 2 + 3 + 10 + 100 + 1000 + 10000);
}

static void sites_are_counted_apart(void **state)
{
	static const int one, other;
	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(hc_warn_due(&one), i);
		assert_int_equal(hc_warn_due(&other), i);
	}
	assert_int_equal(hc_warn_due(&one), 0);
}

static void too_many_sites_are_silent(void **state)
{
	uint32_t spoke = 0;
	(void)state;
	for (uintptr_t site = 1 << 20; site < (1 << 20) + 40000; site += 4)
		spoke += hc_warn_due((const void *)site) != 0;
	assert_in_range(spoke, 900, 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_speaks_three_times_and_at_powers_of_ten),
		cmocka_unit_test(sites_are_counted_apart),
		cmocka_unit_test(too_many_sites_are_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

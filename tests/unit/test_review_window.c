/* The window that puts records into the order of time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "window.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void test_pops_in_order(void **state)
{
	struct window window = { .compare = compare };
	int numbers[1000], last = -1;

	(void)state;
	srand(1);
	for (int i = 0; i < 1000; i++) {
		numbers[i] = rand() % 300;
		window_push(&window, &numbers[i]);
	}
	for (int i = 0; i < 1000; i++) {
		int *top = window_top(&window), *item = window_pop(&window);

		assert_ptr_equal(top, item);
		assert_true(*item >= last);
		last = *item;
	}
	assert_null(window_pop(&window));
	window_clear(&window);
}

/* As a recording is read: each may be some places late, and few are kept. */
static void test_nearly_in_order(void **state)
{
	enum { COUNT = 20000, KEPT = 64 };
	struct window window = { .compare = compare };
	static int numbers[COUNT];
	int last = -KEPT, popped = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < COUNT; i++) {
		numbers[i] = i - rand() % KEPT;
		window_push(&window, &numbers[i]);
		for (; window.count > KEPT; popped++) {
			int *item = window_pop(&window);

			assert_true(*item >= last);
			last = *item;
		}
	}
	assert_int_equal(popped, COUNT - KEPT);
	assert_int_equal(window.count, KEPT);
	assert_true(window.room <= 4 * KEPT);
	window_clear(&window);
}

static void test_empty(void **state)
{
	struct window window = { .compare = compare };

	(void)state;
	assert_null(window_top(&window));
	assert_null(window_pop(&window));
	window_clear(&window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pops_in_order),
		cmocka_unit_test(test_nearly_in_order),
		cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

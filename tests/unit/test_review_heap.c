/* The heap that puts records into the order of time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "heap.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void test_pops_in_order(void **state)
{
	struct heap heap = { .compare = compare };
	int numbers[1000], last = -1;

	(void)state;
	srand(1);
	for (int i = 0; i < 1000; i++) {
		numbers[i] = rand() % 300;
		heap_push(&heap, &numbers[i]);
	}
	for (int i = 0; i < 1000; i++) {
		int *top = heap_top(&heap), *item = heap_pop(&heap);

		assert_ptr_equal(top, item);
		assert_true(*item >= last);
		last = *item;
	}
	assert_null(heap_pop(&heap));
	heap_clear(&heap);
}

static void test_empty(void **state)
{
	struct heap heap = { .compare = compare };

	(void)state;
	assert_null(heap_top(&heap));
	assert_null(heap_pop(&heap));
	heap_clear(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pops_in_order),
		cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

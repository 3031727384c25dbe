/* uses: recorder views process libc
 *
 * The views that move through the recording's file. */
#include "views.h"
#include "recorded.h"

#include <sys/resource.h>

static unsigned long address_space(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

/* 200,000 exits are some 12 MiB. */
static int write_far(void)
{
	unsigned long before = address_space();
	if (hc_recorder_open(path, 1ul << 30) || !before)
		return 1;
	for (uint32_t i = 0; i < 200000; i++)
		record_exit(i);
	return address_space() - before < 1 << 20 ? 0 : 2;
}

static void a_large_recording_takes_little_address_space(void **state)
{
	(void)state;
	new_path("far");
	assert_int_equal(in_child(write_far), 0);
	struct contents found = read_back();
	assert_int_equal(found.events[HC_EVENT_exit], 200000);
	assert_int_equal(found.header.lost, 0);
	unlink(path);
}

/* A limit that is set when the recording is under way leaves no room for a view
 * further on: what can't be recorded is counted, and the program lives. */
static int write_under_a_late_limit(void)
{
	struct rlimit limit;
	if (hc_recorder_open(path, 1ul << 30))
		return 1;
	record_exit(0);
	limit.rlim_cur = limit.rlim_max = address_space();
	setrlimit(RLIMIT_AS, &limit);
	for (uint32_t i = 1; i < 200000; i++)
		record_exit(i);
	return 0;
}

static void a_late_limit_on_memory_is_survived(void **state)
{
	(void)state;
	new_path("late-limit");
	assert_int_equal(in_child(write_under_a_late_limit), 0);
	struct contents found = read_back();
	assert_true(found.events[HC_EVENT_exit] > 1000);
	assert_int_equal(found.events[HC_EVENT_exit] + found.header.lost, 200000);
	unlink(path);
}

/* A forked child goes on where its parent's other threads were amid a record. */
static int fork_amid_records(void)
{
	pthread_t threads[8];
	if (hc_recorder_open(path, 256 << 20))
		return 1;
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, write_from_thread, NULL);
	for (int i = 0; i < 200; i++) {
		pid_t child = fork();
		if (!child) {
			hc_views_child();
			for (uint32_t j = 0; j < 100; j++)
				record_exit(j);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void a_child_of_a_busy_program_loses_nothing(void **state)
{
	(void)state;
	new_path("busy");
	assert_int_equal(in_child(fork_amid_records), 0);
	struct contents found = read_back();
	assert_int_equal(found.events[HC_EVENT_exit], 8 * 5000 + 200 * 100);
	assert_int_equal(found.header.lost, 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_recording_takes_little_address_space),
		cmocka_unit_test(a_late_limit_on_memory_is_survived),
		cmocka_unit_test(a_child_of_a_busy_program_loses_nothing),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* A close by exec waits for the next word of its thread, which may be that the exec failed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "pending.h"
#include "recording.h"

#define SECOND 1000000000u

static struct recording recording, another_recording;
static struct pending *pending;
static uint64_t now, happened[4];
static unsigned count;

static void note(const struct event *close, void *data)
{
	assert_ptr_equal(data, &recording);
	if (count < G_N_ELEMENTS(happened))
		happened[count] = close->common.socket.sock;
	count++;
}

static int setup(void **state)
{
	(void)state;
	pending = pending_new(note, &recording);
	count = 0;
	now = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pending_free(pending);
	return 0;
}

static struct event event_of(enum hc_event kind, uint32_t tid)
{
	struct event event = { .recording = &recording, .kind = kind, .order = now += 1000 };

	event.record.pid = 1;
	event.record.tid = tid;
	return event;
}

static void say(enum hc_event kind, uint32_t tid)
{
	struct event event = event_of(kind, tid);

	pending_event(pending, &event);
}

/* As the recording has it: every event is told, a close by exec is added, too. */
static void close_by_exec(uint64_t sock, uint32_t tid)
{
	struct event event = event_of(HC_EVENT_close, tid);

	event.close.how = HC_HOW_exec;
	event.common.socket.sock = sock;
	pending_event(pending, &event);
	pending_add(pending, &event);
}

static void test_failed(void **state)
{
	(void)state;
	close_by_exec(1, 1);
	close_by_exec(2, 1);
	assert_int_equal(count, 0);
	say(HC_EVENT_exec_failed, 1);
	pending_finish(pending);
	assert_int_equal(count, 0);
}

/* What survives the exec is recorded among what does not. */
static void test_failed_with_what_survives(void **state)
{
	struct event passed;

	(void)state;
	close_by_exec(1, 1);
	passed = event_of(HC_EVENT_pass, 1);
	passed.pass.via = HC_VIA_exec;
	pending_event(pending, &passed);
	close_by_exec(2, 1);
	say(HC_EVENT_exec_failed, 1);
	pending_finish(pending);
	assert_int_equal(count, 0);
}

static void test_thread_goes_on(void **state)
{
	(void)state;
	close_by_exec(1, 1);
	close_by_exec(2, 2);
	say(HC_EVENT_process, 2);
	assert_int_equal(count, 1);
	assert_int_equal(happened[0], 2);
	say(HC_EVENT_exec_failed, 1);
	pending_finish(pending);
	assert_int_equal(count, 1);
}

/* A number of a thread is another one's in another file. */
static void test_another_file(void **state)
{
	struct event failed;

	(void)state;
	close_by_exec(1, 1);
	failed = event_of(HC_EVENT_exec_failed, 1);
	failed.recording = &another_recording;
	pending_event(pending, &failed);
	assert_int_equal(count, 0);
	pending_finish(pending);
	assert_int_equal(count, 1);
}

/* A program that is not traced comes after it: nothing more is heard of that thread. */
static void test_silence(void **state)
{
	(void)state;
	close_by_exec(1, 1);
	close_by_exec(2, 3);
	say(HC_EVENT_exit, 2);
	assert_int_equal(count, 0);
	now += 2 * SECOND;
	say(HC_EVENT_exit, 2);
	assert_int_equal(count, 2);
	assert_int_equal(happened[0], 1);
	assert_int_equal(happened[1], 2);
}

/* … but late as it may be, that word is that it failed. */
static void test_failed_late(void **state)
{
	(void)state;
	close_by_exec(1, 1);
	now += 2 * SECOND;
	say(HC_EVENT_exec_failed, 1);
	pending_finish(pending);
	assert_int_equal(count, 0);
}

/* Many sockets wait for the word of many execs while others go on. */
static void test_many(void **state)
{
	clock_t start = clock();

	(void)state;
	for (uint32_t i = 1; i <= 100000; i++) {
		now = 0;
		close_by_exec(i, 10 + i);
		now = 0;
		say(HC_EVENT_exit, 1);
	}
	assert_int_equal(count, 0);
	pending_finish(pending);
	assert_int_equal(count, 100000);
	assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
}

/* The sanitizer sees whether it leaks. */
static void test_dropped(void **state)
{
	(void)state;
	close_by_exec(1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_with_what_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thread_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

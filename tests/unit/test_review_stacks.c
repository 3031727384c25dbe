/* A stack is looked up once, and each file's modules are its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "processes.h"
#include "recording.h"
#include "stacks.h"

static struct recording recordings[2] = { { .index = 0 }, { .index = 1 } };
static struct processes *processes;
static struct stacks *stacks;

static int setup(void **state)
{
	(void)state;
	processes = processes_new();
	stacks = stacks_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stacks_free(stacks);
	processes_free(processes);
	return 0;
}

static struct event *event_with(unsigned file, enum hc_event kind, size_t size, const void *tail, size_t tail_size)
{
	struct event *event = g_malloc0(sizeof(struct event) + size + tail_size);

	event->recording = &recordings[file];
	event->kind = kind;
	event->size = (uint32_t)(size + tail_size);
	if (tail_size)
		memcpy(event->bytes + size, tail, tail_size);
	return event;
}

static void add_module(unsigned file, uint64_t id, const char *path)
{
	struct event *event = event_with(file, HC_EVENT_module, sizeof(struct hc_module), path, strlen(path));

	event->module.module = id;
	event->module.path = (struct hc_span){ sizeof(struct hc_module), (uint32_t)strlen(path) };
	processes_module_event(event, processes);
	g_free(event);
}

static const struct site *site_of(unsigned file, const struct hc_frame *frames, size_t count)
{
	struct event *event = event_with(file, HC_EVENT_close, sizeof(struct hc_close), frames, count * sizeof(*frames));
	const struct site *site;

	event->close.stack = (struct hc_span){ sizeof(struct hc_close), (uint32_t)(count * sizeof(*frames)) };
	site = stacks_site(stacks, processes, event);
	g_free(event);
	return site;
}

static void test_once(void **state)
{
	const struct hc_frame frames[] = { { 1, 0x10 }, { 1, 0x20 } }, others[] = { { 1, 0x10 }, { 1, 0x21 } };
	const struct site *site;

	(void)state;
	add_module(0, 1, "/opt/server");
	site = site_of(0, frames, 2);
	assert_string_equal(site->place, "server+0x10");
	assert_int_equal(site->frames->len, 2);
	assert_ptr_equal(site_of(0, frames, 2), site);
	assert_ptr_not_equal(site_of(0, others, 2), site);
	assert_ptr_not_equal(site_of(0, frames, 1), site);
	assert_ptr_equal(site_of(0, frames, 2), site);
}

static void test_no_stack(void **state)
{
	const struct site *site = site_of(0, NULL, 0);

	(void)state;
	assert_null(site->place);
	assert_string_equal(site->key, "");
	assert_int_equal(site->folded->len, 0);
}

static void test_each_file(void **state)
{
	const struct hc_frame frame = { 1, 0x10 };

	(void)state;
	add_module(0, 1, "/opt/server");
	add_module(1, 1, "/opt/client");
	assert_string_equal(site_of(0, &frame, 1)->place, "server+0x10");
	assert_string_equal(site_of(1, &frame, 1)->place, "client+0x10");
}

/* Of two threads, one can record its stack before the other has told of the module. */
static void test_late_module(void **state)
{
	const struct hc_frame frame = { 7, 0x10 };

	(void)state;
	assert_string_equal(site_of(0, &frame, 1)->place, "0x10");
	add_module(0, 7, "/opt/server");
	assert_string_equal(site_of(0, &frame, 1)->place, "server+0x10");
}

/* Code that is made at run time has ever new addresses: memory stays bounded. */
static void test_many(void **state)
{
	struct hc_frame frame = { 0, 0 };

	(void)state;
	for (frame.offset = 1; frame.offset < 50000; frame.offset++) {
		site_of(0, &frame, 1);
		assert_true(stacks_kept(stacks) <= STACKS_KEPT);
	}
	frame.offset = 1;
	assert_string_equal(site_of(0, &frame, 1)->place, "0x1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_module, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

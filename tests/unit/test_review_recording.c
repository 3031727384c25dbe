/* The reader against files that are whole, cut, damaged, growing, or no recordings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "recording.h"
#include "timeline.h"

static char *path;
static GByteArray *file;

static struct hc_header *header(void)
{
	return (void *)file->data;
}

static void append(unsigned kind, unsigned slots, uint64_t t)
{
	struct hc_record record = { 0 };
	uint64_t slot = (file->len - HC_HEADER_SIZE) / HC_SLOT_SIZE;
	guint at = file->len;

	record.mark = hc_mark(slot);
	record.event = (uint16_t)kind;
	record.slots = (uint16_t)slots;
	record.t = t;
	g_byte_array_set_size(file, at + (slots ? slots : 1) * HC_SLOT_SIZE);
	memset(file->data + at, 0, file->len - at);
	memcpy(file->data + at, &record, sizeof(record));
	header()->used = file->len - HC_HEADER_SIZE;
}

static void append_hole(unsigned slots)
{
	guint at = file->len;

	g_byte_array_set_size(file, at + slots * HC_SLOT_SIZE);
	memset(file->data + at, 0, file->len - at);
	header()->used = file->len - HC_HEADER_SIZE;
}

static int setup(void **state)
{
	struct hc_header fresh = {
		HC_MAGIC, HC_VERSION, HC_BYTE_ORDER, HC_HEADER_SIZE, HC_SLOT_SIZE, 1 << 24, 0, 0, "host", "boot", 0, 0,
		0,        0
	};
	int fd = g_file_open_tmp("test-recording-XXXXXX", &path, NULL);

	(void)state;
	close(fd);
	file = g_byte_array_new();
	g_byte_array_set_size(file, HC_HEADER_SIZE);
	memset(file->data, 0, HC_HEADER_SIZE);
	memcpy(file->data, &fresh, sizeof(fresh));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	g_unlink(path);
	g_free(path);
	g_byte_array_unref(file);
	return 0;
}

static void save(void)
{
	int fd = open(path, O_WRONLY);

	assert_true(write(fd, file->data, file->len) == (ssize_t)file->len);
	close(fd);
}

static struct recording *open_saved(void)
{
	char *problem;
	struct recording *recording;

	save();
	recording = recording_open(path, &problem);
	assert_null(problem);
	return recording;
}

static unsigned count_events(struct recording *recording)
{
	struct event *event;
	unsigned count = 0;

	while ((event = recording_next(recording))) {
		count++;
		g_free(event);
	}
	return count;
}

static void assert_problem(const char *name, const char *part)
{
	char *problem;

	assert_null(recording_open(name, &problem));
	if (!strstr(problem, part))
		fail_msg("'%s' has no '%s'", problem, part);
	g_free(problem);
}

static void test_problems(void **state)
{
	(void)state;
	assert_problem("/nonexistent/file", "No such file");
	assert_problem("/tmp", "directory");
	assert_problem("/dev/null", "regular");
	assert_problem(path, "empty");
	header()->version = HC_VERSION + 1;
	save();
	assert_problem(path, "version");
	header()->version = HC_VERSION;
	header()->byte_order = __builtin_bswap32(HC_BYTE_ORDER);
	save();
	assert_problem(path, "byte order");
	header()->byte_order = HC_BYTE_ORDER;
	header()->slot_size = 0;
	save();
	assert_problem(path, "damaged");
	header()->magic[3] ^= 1;
	save();
	assert_problem(path, "not a recording");
}

static void test_slots_of_any_number(void **state)
{
	struct recording *recording;

	(void)state;
	append(HC_EVENT_exit, 0, 1); /* damaged */
	append(HC_EVENT_exit, 2, 2);
	append(HC_EVENT_exit, 512, 3); /* the largest */
	append(HC_EVENT_exit, 513, 4); /* one too large: all its slots are damaged or empty */
	append(HC_EVENT_exit, 2, 5);
	append(HC_EVENTS, 2, 6); /* of a kind that came later */
	append(HC_EVENT_exit, 3, 7);
	recording = open_saved();
	assert_int_equal(count_events(recording), 4);
	assert_int_equal(recording->damaged, 2);
	assert_int_equal(recording->unwritten, 512);
	assert_int_equal(recording->unknown, 1);
	recording_free(recording);
}

/* Killed while it filled a record: not damage, whatever had been stored by then. */
static void test_killed_writers(void **state)
{
	static const struct hc_record heads[] = {
		{ .event = 0 },
		{ .event = HC_EVENT_exit },
		{ .slots = 2 },
		{ .event = HC_EVENT_exit, .slots = 2 },
		{ .event = HC_EVENT_exit, .t = 5 },
		{ .event = HC_EVENT_exit, .slots = 2, .t = 5, .pid = 7, .tid = 7 },
	};
	struct recording *recording;

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(heads); i++) {
		guint at = file->len;
		append_hole(2);
		memcpy(file->data + at, &heads[i], sizeof(heads[i]));
		append(HC_EVENT_exit, 2, i);
	}
	recording = open_saved();
	assert_int_equal(count_events(recording), G_N_ELEMENTS(heads));
	assert_int_equal(recording->damaged, 0);
	assert_int_equal(recording->unwritten, 2 * G_N_ELEMENTS(heads));
	recording_free(recording);
}

static void test_beyond_the_end(void **state)
{
	struct recording *recording;

	(void)state;
	append(HC_EVENT_exit, 2, 1);
	append(HC_EVENT_exit, 4, 2);
	g_byte_array_set_size(file, file->len - 3 * HC_SLOT_SIZE);
	recording = open_saved();
	assert_int_equal(count_events(recording), 1);
	assert_int_equal(recording->missing, 3);
	assert_int_equal(recording->damaged, 1);
	recording_free(recording);
}

/* Wherever it is cut: each record before is read, each slot behind is missed. */
static void test_cut_anywhere(void **state)
{
	static const unsigned slots[] = { 2, 5, 3, 2, 4 };
	guint ends[G_N_ELEMENTS(slots)], whole;

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(slots); i++) {
		append(HC_EVENT_exit, slots[i], i);
		ends[i] = file->len;
	}
	save();
	for (guint size = whole = file->len; size > 0; size--) {
		struct recording *recording;
		unsigned events = 0;
		char *problem;

		assert_int_equal(truncate(path, size), 0);
		recording = recording_open(path, &problem);
		assert_int_equal(recording != NULL, size >= sizeof(struct hc_header));
		assert_int_equal(problem != NULL, recording == NULL);
		g_free(problem);
		if (!recording)
			continue;
		while (events < G_N_ELEMENTS(slots) && ends[events] <= size)
			events++;
		assert_int_equal(count_events(recording), events);
		/* the rest of a record that is cut is zeros here, as if nobody had written it */
		assert_int_equal(recording->missing + recording->damaged + recording->unwritten,
		                 (whole - (events ? ends[events - 1] : HC_HEADER_SIZE)) / HC_SLOT_SIZE);
		recording_free(recording);
	}
}

static void test_used_is_not_trusted(void **state)
{
	struct recording *recording;

	(void)state;
	append(HC_EVENT_exit, 2, 1);
	header()->used = UINT64_MAX;
	header()->limit = file->len;
	recording = open_saved();
	assert_int_equal(count_events(recording), 1);
	assert_int_equal(recording->missing, 0);
	recording_free(recording);
	header()->limit = 5;
	recording = open_saved();
	assert_int_equal(count_events(recording), 0);
	recording_free(recording);
}

/* A follower gives a hole time to be filled, and sees it when it is. */
static void test_growing(void **state)
{
	struct recording *recording;
	guint hole;

	(void)state;
	append(HC_EVENT_exit, 2, 1);
	hole = file->len;
	append_hole(2);
	append(HC_EVENT_exit, 2, 3);
	recording = open_saved();
	recording_follow(recording);
	assert_int_equal(count_events(recording), 1);
	assert_int_equal(count_events(recording), 0);
	((struct hc_record *)(void *)(file->data + hole))->mark = hc_mark(2);
	((struct hc_record *)(void *)(file->data + hole))->event = HC_EVENT_exit;
	((struct hc_record *)(void *)(file->data + hole))->slots = 2;
	append(HC_EVENT_exit, 2, 4);
	save();
	recording_refresh(recording);
	assert_int_equal(count_events(recording), 3);
	assert_int_equal(recording->unwritten, 0);
	recording_free(recording);
}

static void test_window(void **state)
{
	char *paths[] = { path, NULL };
	struct timeline *timeline;
	struct event *event;
	uint64_t last = 0;
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		append(HC_EVENT_exit, 2, 1000 + i * 10 - (i * 7919) % 2000);
	save();
	timeline = timeline_open(paths);
	while ((event = timeline_next(timeline, UINT64_MAX))) {
		assert_true(event->order >= last);
		last = event->order;
		count++;
		g_free(event);
	}
	assert_int_equal(count, 20000);
	timeline_free(timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_problems, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_of_any_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beyond_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_used_is_not_trusted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

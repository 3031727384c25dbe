/* uses: recorder views process libc
 *
 * The recorder's file, read back byte by byte as recording.h says. */
#include "recorded.h"

#include <sys/resource.h>

static int write_some(void)
{
	if (hc_recorder_open(path, 1 << 20))
		return 1;
	for (uint32_t i = 0; i < 100; i++)
		record_exit(i);
	return 0;
}

static void events_are_there_without_a_descriptor(void **state)
{
	struct stat status;
	(void)state;
	new_path("plain");
	assert_int_equal(in_child(write_some), 0);
	struct contents found = read_back();
	assert_memory_equal(found.header.magic, HC_MAGIC, sizeof HC_MAGIC);
	assert_int_equal(found.header.version, HC_VERSION);
	assert_int_equal(found.header.byte_order, HC_BYTE_ORDER);
	assert_int_equal(found.header.limit, 1 << 20);
	assert_int_equal(strlen(found.header.boot_id), 36);
	assert_true(found.header.start_realtime > found.header.start_monotonic);
	assert_int_equal(found.events[HC_EVENT_exit], 100);
	assert_int_equal(found.holes, 0);
	assert_int_equal(found.header.lost, 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* sparse: a piece is on the disk, not the limit */
	assert_true(status.st_blocks * 512 < 1 << 18);
	/* a second process joins */
	assert_int_equal(in_child(write_some), 0);
	assert_int_equal(read_back().events[HC_EVENT_exit], 200);
	unlink(path);
}

static int keep_no_descriptor(void)
{
	int before = dup(0);
	close(before);
	int failed = write_some();
	int after = dup(0);
	return failed || before != after;
}

static void no_descriptor_is_kept(void **state)
{
	(void)state;
	new_path("descriptor");
	assert_int_equal(in_child(keep_no_descriptor), 0);
	unlink(path);
}

static int write_too_much(void)
{
	if (hc_recorder_open(path, 128 * 1024))
		return 1;
	for (uint32_t i = 0; i < 10000; i++)
		record_exit(i);
	return 0;
}

static void what_does_not_fit_is_counted(void **state)
{
	(void)state;
	new_path("full");
	assert_int_equal(in_child(write_too_much), 0);
	struct contents found = read_back();
	assert_true(found.events[HC_EVENT_exit] > 1000);
	assert_int_equal(found.events[HC_EVENT_exit] + found.header.lost, 10000);
	unlink(path);
}

static int leave_holes(void)
{
	if (hc_recorder_open(path, 1 << 20))
		return 1;
	for (uint32_t i = 0; i < 10; i++) {
		record_exit(i);
		hc_record(HC_EVENT_exit, 0); /* as a process that dies before it commits */
	}
	raise(SIGKILL);
	return 0;
}

static void a_process_that_is_killed_leaves_the_rest_readable(void **state)
{
	(void)state;
	new_path("killed");
	assert_int_equal(in_child(leave_holes), 128 + SIGKILL);
	struct contents found = read_back();
	assert_int_equal(found.events[HC_EVENT_exit], 10);
	assert_true(found.holes > 0);
	unlink(path);
}

static int write_from_threads(void)
{
	pthread_t threads[4];
	if (hc_recorder_open(path, 16 << 20))
		return 1;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_from_thread, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void threads_do_not_lose_each_others_events(void **state)
{
	(void)state;
	new_path("threads");
	assert_int_equal(in_child(write_from_threads), 0);
	struct contents found = read_back();
	assert_int_equal(found.events[HC_EVENT_exit], 20000);
	assert_int_equal(found.holes, 0);
	unlink(path);
}

static int write_long(void)
{
	size_t used = 0;
	char text[20000];
	memset(text, 'x', sizeof text);
	if (hc_recorder_open(path, 1 << 20))
		return 1;
	struct hc_process *event = hc_record(HC_EVENT_process, 5);
	event->exe = hc_tail(event, &used, "ab", 2);
	event->cmdline = hc_tail(event, &used, "cde", 3);
	hc_commit(event);
	if (memcmp((char *)event + event->exe.offset, "abcde", 5) || event->cmdline.offset != event->exe.offset + 2)
		return 2;
	return hc_record(HC_EVENT_process, sizeof text) ? 3 : 0;
}

static void tails_lie_behind_the_fields(void **state)
{
	(void)state;
	new_path("tails");
	assert_int_equal(in_child(write_long), 0);
	assert_int_equal(read_back().header.lost, 1);
	unlink(path);
}

static const char *refused;

static int expect_refusal(void)
{
	const char *why = hc_recorder_open(path, 1 << 20);
	return !why || strcmp(why, refused) || hc_record(HC_EVENT_exit, 0);
}

static void make_file(const void *bytes, size_t size)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void what_is_no_recording_is_left_alone(void **state)
{
	char page[HC_HEADER_SIZE] = "root:x:0:0", is[sizeof page];
	struct hc_header other = { HC_MAGIC, HC_VERSION + 1, HC_BYTE_ORDER, HC_HEADER_SIZE, HC_SLOT_SIZE, 1 << 20,
				   .boot_id = "" };
	(void)state;

	new_path("foreign");
	make_file(page, sizeof page);
	refused = "is a file of another kind";
	assert_int_equal(in_child(expect_refusal), 0);
	int fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, is, sizeof is), sizeof is);
	assert_memory_equal(is, page, sizeof page);
	close(fd);
	make_file("x", 1);
	assert_int_equal(in_child(expect_refusal), 0);
	make_file(&other, sizeof other);
	refused = "is a recording of another version";
	assert_int_equal(in_child(expect_refusal), 0);
	other.version = HC_VERSION;
	make_file(&other, sizeof other);
	refused = "is a recording from before the last boot";
	assert_int_equal(in_child(expect_refusal), 0);
	unlink(path);

	refused = "is a symbolic link";
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(in_child(expect_refusal), 0);
	unlink(path);
	refused = "is no regular file";
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(in_child(expect_refusal), 0);
	unlink(path);
	refused = "Is a directory";
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(in_child(expect_refusal), 0);
	rmdir(path);
}

static int open_under_limit(void)
{
	struct rlimit limit = { 4096, 4096 };
	setrlimit(RLIMIT_FSIZE, &limit);
	return expect_refusal();
}

static void a_limit_on_file_sizes_raises_no_signal(void **state)
{
	(void)state;
	new_path("limited");
	refused = "may not grow: RLIMIT_FSIZE";
	assert_int_equal(in_child(open_under_limit), 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_there_without_a_descriptor),
		cmocka_unit_test(no_descriptor_is_kept),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(a_process_that_is_killed_leaves_the_rest_readable),
		cmocka_unit_test(threads_do_not_lose_each_others_events),
		cmocka_unit_test(tails_lie_behind_the_fields),
		cmocka_unit_test(what_is_no_recording_is_left_alone),
		cmocka_unit_test(a_limit_on_file_sizes_raises_no_signal),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

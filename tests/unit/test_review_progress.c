/* Progress is for terminals, after a while, and leaves nothing behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "say.h"

static int master, kept;
static char said[1000];

/* Standard error is a terminal, of which the test is the screen. */
static int setup(void **state)
{
	int slave;

	(void)state;
	setenv("TERM", "vt100", 1);
	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		return -1;
	kept = dup(STDERR_FILENO);
	dup2(slave, STDERR_FILENO);
	close(slave);
	progress_delay = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(master);
	return 0;
}

static const char *read_screen(void)
{
	struct pollfd screen = { master, POLLIN, 0 };
	size_t used = 0;

	while (poll(&screen, 1, 0) == 1 && used < sizeof said - 1) {
		ssize_t n = read(master, said + used, sizeof said - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	said[used] = '\0';
	return said;
}

static void test_shows_and_erases(void **state)
{
	struct progress progress;

	(void)state;
	progress_begin(&progress, NULL);
	progress_show(&progress, 21000000, 50000000);
	assert_string_equal(read_screen(), "halfclose: 42 % of 50 MB read");
	progress_show(&progress, 22000000, 50000000); /* too soon for another */
	assert_string_equal(read_screen(), "");
	progress_end(&progress);
	assert_string_equal(read_screen(), "\r\033[K");
	progress_end(&progress);
	assert_string_equal(read_screen(), "");
}

static void test_says_nothing_of_what_is_short(void **state)
{
	struct progress progress;

	(void)state;
	progress_delay = 3600 * 1000000ll;
	progress_begin(&progress, NULL);
	progress_show(&progress, 1, 2);
	progress_end(&progress);
	assert_string_equal(read_screen(), "");
}

static void test_makes_way_for_messages(void **state)
{
	struct progress progress;

	(void)state;
	progress_begin(&progress, NULL);
	progress_show(&progress, 1, 4);
	complain("a message");
	assert_string_equal(read_screen(), "halfclose: 25 % of 0 MB read\r\033[Khalfclose: a message\r\n");
	progress_end(&progress);
	assert_string_equal(read_screen(), "");
}

static void test_is_for_terminals(void **state)
{
	int null = open("/dev/null", O_WRONLY), terminal = dup(STDERR_FILENO);
	FILE *out = fdopen(dup(terminal), "w");
	struct progress progress;

	(void)state;
	progress_begin(&progress, out); /* the work's own output is seen there */
	assert_false(progress.on);
	setenv("TERM", "dumb", 1);
	progress_begin(&progress, NULL);
	assert_false(progress.on);
	setenv("TERM", "vt100", 1);
	progress_begin(&progress, NULL);
	assert_true(progress.on);
	dup2(null, STDERR_FILENO);
	progress_begin(&progress, NULL);
	assert_false(progress.on);
	dup2(terminal, STDERR_FILENO);
	fclose(out);
	close(terminal);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shows_and_erases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_says_nothing_of_what_is_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_makes_way_for_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_is_for_terminals, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

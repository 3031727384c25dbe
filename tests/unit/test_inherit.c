/* uses: inherit text process libc
 *
 * The word that one program leaves to the next. */
#include "inherit.h"
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

static int set_up(void **state)
{
	(void)state;
	hc_libc_resolve();
	hc_self.pid = getpid();
	return 0;
}

static void what_is_added_is_read_by_the_same_process(void **state)
{
	struct hc_text tail = { 0 }, variable;
	size_t count;
	(void)state;
	hc_inherit_add(&tail, 17);
	hc_inherit_add(&tail, 18446744073709551615u);
	char *envp[] = { "PATH=/bin", "HALFCLOSE_GRACEFUL=unread,late;1,2,3", "HOME=/", NULL };
	assert_int_equal(hc_inherit_find(envp, &count), 1);
	assert_int_equal(count, 3);
	assert_true(hc_inherit_join(envp[1], &tail, &variable));
	/* what was there before is gone */
	assert_int_equal(strncmp(variable.bytes, "HALFCLOSE_GRACEFUL=unread,late;", 31), 0);
	assert_null(strstr(variable.bytes, ";1,2,3"));
	envp[1] = variable.bytes;
	hc_inherit_read(envp);
	assert_true(hc_inherit_is_only(17));
	assert_true(hc_inherit_is_only(18446744073709551615u));
	assert_false(hc_inherit_is_only(3));
	assert_false(hc_inherit_is_only(0));
}

/* Each in a process of its own: what was read once stays. */
static bool is_believed(const char *value)
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		char *envp[] = { (char *)(uintptr_t)value, NULL };
		hc_self.pid = getppid();
		hc_inherit_read(envp);
		_exit(hc_inherit_is_only(99));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_word_for_another_is_not_believed(void **state)
{
	char value[200];
	unsigned long long now = hc_now();
	(void)state;
#define WORD(pid, time) \
	(snprintf(value, sizeof value, "HALFCLOSE_GRACEFUL=all;%d,%llu,99", (int)(pid), (unsigned long long)(time)), value)
	assert_true(is_believed(WORD(getpid(), now)));
	assert_false(is_believed(WORD(getpid() + 1, now)));
	assert_false(is_believed(WORD(getpid(), now - 11000000000u)));
	assert_false(is_believed(WORD(getpid(), now + 60000000000u)));
	assert_false(is_believed("HALFCLOSE_GRACEFUL=all;99"));
	assert_false(is_believed("HALFCLOSE_GRACEFUL=all;,,99"));
	assert_false(is_believed("HALFCLOSE_GRACEFUL=all"));
	assert_false(is_believed("HALFCLOSE_GRACEFUL;1,2,99"));
}

static void what_does_not_fit_is_not_told(void **state)
{
	struct hc_text tail = { 0 }, variable;
	char value[700];
	(void)state;
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	hc_inherit_add(&tail, 1);
	assert_false(hc_inherit_join(value, &tail, &variable));
	for (int i = 0; i < 100; i++)
		hc_inherit_add(&tail, 18446744073709551615u);
	assert_false(hc_inherit_join("HALFCLOSE_GRACEFUL=all", &tail, &variable));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_read_by_the_same_process),
		cmocka_unit_test(a_word_for_another_is_not_believed),
		cmocka_unit_test(what_does_not_fit_is_not_told),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}

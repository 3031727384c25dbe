/* uses: family text process libc
 *
 * The places of a family's processes, with real forks. */
#include "family.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int begin(void **state)
{
	(void)state;
	hc_libc_resolve();
	hc_self.pid = getpid();
	hc_self.on = true;
	void *space = mmap(NULL, sizeof(struct hc_family), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (space == MAP_FAILED)
		return 1;
	hc_family_init(space);
	return !hc_family_own;
}

static uint16_t place(uint64_t owner)
{
	return (uint16_t)owner;
}

/* Forks as init.c does; the child does as `what` says, and is told to have begun. */
static pid_t fork_one(uint64_t childs, void (*what)(void))
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* where an assertion keeps it from being killed */
		hc_self.pid = getpid();
		hc_family_child(childs);
		what();
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	hc_family_forked(childs, child);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

static void kill_and_wait(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void nothing(void)
{
}

static void executes(void)
{
	hc_family_exec(true);
}

static void fails_to_execute(void)
{
	hc_family_exec(true);
	hc_family_exec(false);
}

static void this_process_lives(void **state)
{
	(void)state;
	assert_false(hc_family_is_void(hc_family_own));
	assert_false(hc_family_is_dead(hc_family_own));
	assert_false(hc_family_is_doubtful(hc_family_own));
}

static void a_place_is_the_childs_until_no_child_comes(void **state)
{
	(void)state;
	uint64_t childs = hc_family_take();
	assert_int_not_equal(place(childs), 0);
	assert_int_not_equal(place(childs), place(hc_family_own));
	assert_false(hc_family_is_void(childs));
	assert_false(hc_family_is_dead(childs)); /* its pid is not known yet */
	hc_family_forked(childs, -1);
	assert_true(hc_family_is_void(childs));
}

static void who_has_a_place_next_is_another_owner(void **state)
{
	(void)state;
	uint64_t first = hc_family_take();
	hc_family_forked(first, -1);
	uint64_t second = hc_family_take();
	assert_int_equal(place(second), place(first));
	assert_true(second != first);
	assert_true(hc_family_is_void(first));
	assert_false(hc_family_is_void(second));
	/* the first one's pid is told late */
	hc_family_forked(first, -1);
	assert_false(hc_family_is_void(second));
	hc_family_forked(second, -1);
}

static void who_was_killed_is_dead_and_then_void(void **state)
{
	(void)state;
	uint64_t childs = hc_family_take();
	pid_t child = fork_one(childs, nothing);
	errno = 77;
	assert_false(hc_family_is_dead(childs));
	assert_false(hc_family_is_doubtful(childs));
	kill_and_wait(child);
	assert_false(hc_family_is_void(childs));
	assert_true(hc_family_is_dead(childs));
	assert_true(hc_family_is_void(childs));
	assert_int_equal(errno, 77);
}

static void who_was_not_waited_for_is_dead(void **state)
{
	(void)state;
	siginfo_t is;
	uint64_t childs = hc_family_take();
	pid_t child = fork_one(childs, nothing);
	kill(child, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child, &is, WEXITED | WNOWAIT), 0);
	assert_true(hc_family_is_dead(childs));
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_walk_asks_once(void **state)
{
	(void)state;
	uint64_t childs = hc_family_take();
	pid_t child = fork_one(childs, nothing);
	hc_family_walk(true);
	assert_false(hc_family_is_dead(childs));
	kill_and_wait(child);
	assert_false(hc_family_is_dead(childs));
	hc_family_walk(false);
	assert_true(hc_family_is_dead(childs));
}

static void in_a_sandbox_nobody_is_asked(void **state)
{
	(void)state;
	uint64_t childs = hc_family_take();
	pid_t child = fork_one(childs, nothing);
	kill_and_wait(child);
	atomic_store(&hc_self.sandboxed, true);
	assert_false(hc_family_is_dead(childs));
	atomic_store(&hc_self.sandboxed, false);
	assert_true(hc_family_is_dead(childs));
}

static void another_program_is_doubtful(void **state)
{
	(void)state;
	uint64_t one = hc_family_take(), other = hc_family_take();
	pid_t executing = fork_one(one, executes), failing = fork_one(other, fails_to_execute);
	assert_true(hc_family_is_doubtful(one));
	assert_false(hc_family_is_doubtful(other));
	kill_and_wait(executing);
	kill_and_wait(failing);
	assert_true(hc_family_is_dead(one));
	assert_true(hc_family_is_dead(other));
	/* who has the place next is not */
	other = hc_family_take();
	assert_false(hc_family_is_doubtful(other));
	hc_family_forked(other, -1);
}

static void the_places_of_the_killed_are_found(void **state)
{
	static uint64_t taken[8192];
	unsigned n = 0;
	(void)state;
	uint64_t killed = hc_family_take();
	kill_and_wait(fork_one(killed, nothing));
	while (n < 8192 && place(taken[n] = hc_family_take()) != place(killed) && taken[n])
		n++;
	assert_int_equal(n, 8192 - 3); /* without number 0, this process's and that one's */
	assert_int_equal(place(taken[n]), place(killed));
	assert_true(hc_family_take() == 0);
	for (unsigned i = 0; i <= n; i++)
		hc_family_forked(taken[i], -1);
}

static void who_ends_has_no_place(void **state)
{
	(void)state;
	hc_family_end();
	assert_true(hc_family_is_void(hc_family_own));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_process_lives),
		cmocka_unit_test(a_place_is_the_childs_until_no_child_comes),
		cmocka_unit_test(who_has_a_place_next_is_another_owner),
		cmocka_unit_test(who_was_killed_is_dead_and_then_void),
		cmocka_unit_test(who_was_not_waited_for_is_dead),
		cmocka_unit_test(a_walk_asks_once),
		cmocka_unit_test(in_a_sandbox_nobody_is_asked),
		cmocka_unit_test(another_program_is_doubtful),
		cmocka_unit_test(the_places_of_the_killed_are_found),
		cmocka_unit_test(who_ends_has_no_place),
	};
	return cmocka_run_group_tests(tests, begin, NULL);
}

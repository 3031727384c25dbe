/* uses: fdtab holders family text process libc
 *
 * The table of descriptors and the counts of holders, with real forks. */
#include "family.h"
#include "fdtab.h"
#include "holders.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <cmocka.h>

static int set_up(void **state)
{
	(void)state;
	hc_libc_resolve();
	hc_self.pid = getpid();
	hc_self.on = true;
	hc_fdtab_init();
	return !hc_holders_init();
}

static void what_was_filled_is_claimed_once(void **state)
{
	(void)state;
	struct hc_fd copy;
	assert_false(hc_fd_claim(5, &copy));
	assert_non_null(hc_fd_fill(5, HC_FD_TCP, 42, 7));
	assert_int_equal(hc_fd_word(5), HC_FD_TCP);
	assert_true(hc_fd_claim(5, &copy));
	assert_int_equal(copy.sock, 42);
	assert_int_equal(copy.born, 7);
	assert_int_equal(hc_fd_word(5), 0);
	assert_false(hc_fd_claim(5, &copy));
}

static void a_failed_end_is_undone_unless_the_number_lives_anew(void **state)
{
	(void)state;
	struct hc_fd copy;
	hc_fd_fill(6, HC_FD_TCP | HC_FD_LINGER0, 1, 0);
	assert_true(hc_fd_claim(6, &copy));
	hc_fd_restore(6, &copy);
	assert_int_equal(hc_fd_word(6), HC_FD_TCP | HC_FD_LINGER0);
	assert_true(hc_fd_claim(6, &copy));
	hc_fd_fill(6, HC_FD_UNIX, 2, 0);
	hc_fd_restore(6, &copy);
	assert_int_equal(hc_fd_word(6), HC_FD_UNIX);
	hc_fd_forget(6);
}

static void numbers_outside_the_table_are_not_followed(void **state)
{
	(void)state;
	struct hc_fd copy;
	assert_null(hc_fd(-1));
	assert_null(hc_fd(HC_FDTAB_SIZE));
	assert_null(hc_fd_fill(HC_FDTAB_SIZE, HC_FD_TCP, 1, 0));
	assert_false(hc_fd_claim(-1, &copy));
	assert_int_equal(hc_fd_word(INT32_MAX), 0);
	hc_fd_forget(-1);
	hc_fd_mark(-1, HC_FD_TCP);
	assert_int_equal(hc_fd_word(HC_FDTAB_SIZE - 1), 0);
	assert_non_null(hc_fd_fill(HC_FDTAB_SIZE - 1, HC_FD_TCP, 1, 0));
	assert_int_equal(hc_fd_next(0), HC_FDTAB_SIZE - 1);
	hc_fd_forget(HC_FDTAB_SIZE - 1);
}

static void followed_numbers_are_found_in_order(void **state)
{
	(void)state;
	hc_fd_fill(9, HC_FD_TCP, 1, 0);
	hc_fd_fill(300, HC_FD_TCP, 2, 0);
	assert_int_equal(hc_fd_next(0), 9);
	assert_int_equal(hc_fd_next(10), 300);
	assert_int_equal(hc_fd_next(301), -1);
	hc_fd_forget(9);
	hc_fd_forget(300);
	assert_int_equal(hc_fd_next(0), -1);
}

static void only_stream_sockets_are_followed(void **state)
{
	(void)state;
	assert_int_equal(hc_kind(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, false), HC_FD_TCP);
	assert_int_equal(hc_kind(AF_INET6, SOCK_STREAM, 6, false), HC_FD_TCP | HC_FD_INET6);
	assert_int_equal(hc_kind(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 262, false), HC_FD_TCP | HC_FD_MPTCP);
	assert_int_equal(hc_kind(AF_INET, SOCK_DGRAM, 0, false), 0);
	assert_int_equal(hc_kind(AF_INET, SOCK_STREAM, 132, false), 0);
	assert_int_equal(hc_kind(AF_UNIX, SOCK_STREAM, 0, false), 0);
	assert_int_equal(hc_kind(AF_UNIX, SOCK_SEQPACKET, 0, true), HC_FD_UNIX);
	assert_int_equal(hc_kind(AF_UNIX, SOCK_DGRAM, 0, true), 0);
}

static void a_duplicate_keeps_its_socket_held(void **state)
{
	(void)state;
	hc_fd_fill(10, HC_FD_TCP, 100, 0);
	hc_fd_copy(10, 11);
	hc_fd_copy(11, 12);
	hc_fd_copy(12, 12);
	assert_int_equal(hc_fd_word(10), HC_FD_TCP | HC_FD_COPIED);
	assert_int_equal(hc_fd_word(12), HC_FD_TCP | HC_FD_COPIED);
	assert_int_equal(hc_holders_release(100), HC_HOLDING_self);
	assert_int_equal(hc_holders_release(100), HC_HOLDING_self);
	hc_holders_undo(100);
	assert_int_equal(hc_holders_release(100), HC_HOLDING_self);
	assert_int_equal(hc_holders_release(100), HC_HOLDING_none);
	for (int fd = 10; fd <= 12; fd++)
		hc_fd_forget(fd);
	hc_fd_fill(10, HC_FD_TCP, 101, 0);
	hc_fd_copy(13, 10); /* a copy of something else takes the number */
	assert_int_equal(hc_fd_word(10), 0);
}

/* Forks as init.c does; the child does `what` and tells by its status. */
static pid_t fork_family(int (*what)(int), int argument)
{
	uint64_t place = hc_holders_fork();
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		hc_self.pid = getpid();
		hc_family_child(place);
		_exit(what(argument));
	}
	hc_family_forked(place, child);
	return child;
}

static int status_of(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int release_and_end(int sock)
{
	int left = (int)hc_holders_release((uint64_t)sock);
	hc_family_end();
	return left;
}

static int wait_to_be_killed(int pipe_end)
{
	if (write(pipe_end, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static void a_child_holds_what_its_parent_held(void **state)
{
	(void)state;
	hc_fd_fill(20, HC_FD_TCP, 200, 0);
	pid_t child = fork_family(release_and_end, 200);
	/* the child finds the parent holding, the parent nobody once it is gone */
	assert_int_equal(status_of(child), HC_HOLDING_family);
	assert_int_equal(hc_holders_release(200), HC_HOLDING_none);
	hc_fd_forget(20);
}

static void a_live_child_holds_and_a_killed_one_does_not(void **state)
{
	int ends[2];
	char byte;
	(void)state;
	assert_int_equal(pipe(ends), 0);
	hc_fd_fill(21, HC_FD_TCP, 201, 0);
	pid_t child = fork_family(wait_to_be_killed, ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(hc_holders_others(201), HC_HOLDING_family);
	kill(child, 9);
	assert_int_equal(status_of(child), -1);
	assert_int_equal(hc_holders_others(201), HC_HOLDING_none);
	hc_fd_forget(21);
	close(ends[0]);
	close(ends[1]);
}

static void a_fork_that_failed_leaves_no_holder(void **state)
{
	(void)state;
	hc_fd_fill(22, HC_FD_TCP, 202, 0);
	uint64_t place = hc_holders_fork();
	assert_int_equal(hc_holders_others(202), HC_HOLDING_family);
	hc_family_forked(place, -1);
	assert_int_equal(hc_holders_others(202), HC_HOLDING_none);
	hc_fd_forget(22);
}

struct slow {
	pthread_barrier_t ended;
	uint64_t place;
};

/* Its child has ended, and been waited for, before it can tell its pid. */
static void *fork_slowly(void *argument)
{
	struct slow *slow = argument;
	slow->place = hc_holders_fork();
	pid_t child = fork();
	if (!child) {
		hc_self.pid = getpid();
		hc_family_child(slow->place);
		hc_family_end();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	pthread_barrier_wait(&slow->ended);
	pthread_barrier_wait(&slow->ended);
	hc_family_forked(slow->place, child);
	return NULL;
}

static void a_pid_that_is_told_late_is_not_the_next_ones(void **state)
{
	struct slow slow;
	pthread_t thread;
	(void)state;
	pthread_barrier_init(&slow.ended, NULL, 2);
	hc_fd_fill(26, HC_FD_TCP, 206, 0);
	assert_int_equal(pthread_create(&thread, NULL, fork_slowly, &slow), 0);
	pthread_barrier_wait(&slow.ended);
	uint64_t place = hc_holders_fork();
	assert_int_equal((uint16_t)place, (uint16_t)slow.place);
	pthread_barrier_wait(&slow.ended);
	pthread_join(thread, NULL);
	assert_int_equal(hc_holders_others(206), HC_HOLDING_family);
	hc_family_forked(place, -1);
	assert_int_equal(hc_holders_others(206), HC_HOLDING_none);
	hc_fd_forget(26);
	pthread_barrier_destroy(&slow.ended);
}

static void what_is_born_during_a_fork_is_not_counted(void **state)
{
	(void)state;
	hc_fd_fill(28, HC_FD_TCP, 208, 0);
	uint64_t place = hc_holders_fork();
	hc_fd_fill(27, HC_FD_TCP, 207, 0);
	pid_t child = fork();
	if (!child) {
		hc_self.pid = getpid();
		hc_family_child(place);
		_exit(hc_holders_counts(207) || !hc_holders_counts(208));
	}
	hc_family_forked(place, child);
	assert_int_equal(status_of(child), 0);
	hc_fd_forget(27);
	hc_fd_forget(28);
}

static void many_forks_fit(void **state)
{
	(void)state;
	hc_fd_fill(23, HC_FD_TCP, 203, 0);
	for (int i = 0; i < 20000; i++)
		hc_family_forked(hc_holders_fork(), -1);
	assert_int_equal(hc_holders_others(203), HC_HOLDING_none);
	hc_fd_forget(23);
}

static void a_program_that_was_replaced_leaves_doubt(void **state)
{
	int ends[2];
	char byte;
	(void)state;
	assert_int_equal(pipe(ends), 0);
	hc_fd_fill(24, HC_FD_TCP, 204, 0);
	uint64_t place = hc_holders_fork();
	pid_t child = fork();
	if (!child) {
		hc_self.pid = getpid();
		hc_family_child(place);
		hc_family_exec(true);
		_exit(wait_to_be_killed(ends[1]));
	}
	hc_family_forked(place, child);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(hc_holders_others(204), HC_HOLDING_doubt);
	kill(child, 9);
	status_of(child);
	hc_fd_forget(24);
	close(ends[0]);
	close(ends[1]);
}

/* The pid that the child has in its namespace is nobody's outside. */
static int hold_in_a_namespace(int pipe_end)
{
	int ends[2];
	char byte;
	if (unshare(CLONE_NEWPID))
		return 77;
	if (pipe(ends))
		return 1;
	hc_fd_fill(25, HC_FD_TCP, 205, 0);
	/* the namespace ends with its first process: a few pids are used up there */
	pid_t first = fork_family(wait_to_be_killed, ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		return 1;
	enum hc_holding first_is = hc_holders_others(205);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	(void)pipe_end;
	return first_is == HC_HOLDING_doubt ? 0 : 2;
}

static void a_holder_in_another_pid_namespace_is_doubtful(void **state)
{
	(void)state;
	int status = status_of(fork_family(hold_in_a_namespace, 0));
	if (status == 77)
		skip(); /* no right to make one */
	assert_int_equal(status, 0);
}

static void a_full_table_is_not_for_ever(void **state)
{
	unsigned certain = 0;
	(void)state;
	for (uint64_t sock = 1 << 20; sock < (1 << 20) + 70000; sock++)
		hc_holders_copy(sock);
	for (uint64_t sock = 1 << 20; sock < (1 << 20) + 70000; sock++) {
		hc_holders_release(sock);
		hc_holders_release(sock);
	}
	for (uint64_t sock = 1 << 21; sock < (1 << 21) + 1000; sock++)
		if (hc_holders_others(sock) == HC_HOLDING_none)
			certain++;
	/* those that share a bit with one that found no room are doubtful */
	assert_in_range(certain, 500, 999);
}

static _Atomic int winners;

static void *claim_all(void *unused)
{
	struct hc_fd copy;
	(void)unused;
	for (int fd = 1000; fd < 21000; fd++)
		if (hc_fd_claim(fd, &copy)) {
			assert_int_equal(copy.sock, fd);
			atomic_fetch_add(&winners, 1);
		}
	return NULL;
}

static void of_two_threads_that_claim_one_wins(void **state)
{
	pthread_t threads[4];
	(void)state;
	for (int fd = 1000; fd < 21000; fd++)
		hc_fd_fill(fd, HC_FD_TCP, (uint64_t)fd, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, claim_all, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(winners, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_filled_is_claimed_once),
		cmocka_unit_test(a_failed_end_is_undone_unless_the_number_lives_anew),
		cmocka_unit_test(numbers_outside_the_table_are_not_followed),
		cmocka_unit_test(followed_numbers_are_found_in_order),
		cmocka_unit_test(only_stream_sockets_are_followed),
		cmocka_unit_test(a_duplicate_keeps_its_socket_held),
		cmocka_unit_test(a_child_holds_what_its_parent_held),
		cmocka_unit_test(a_live_child_holds_and_a_killed_one_does_not),
		cmocka_unit_test(a_fork_that_failed_leaves_no_holder),
		cmocka_unit_test(a_pid_that_is_told_late_is_not_the_next_ones),
		cmocka_unit_test(what_is_born_during_a_fork_is_not_counted),
		cmocka_unit_test(many_forks_fit),
		cmocka_unit_test(a_program_that_was_replaced_leaves_doubt),
		cmocka_unit_test(a_holder_in_another_pid_namespace_is_doubtful),
		cmocka_unit_test(a_full_table_is_not_for_ever),
		cmocka_unit_test(of_two_threads_that_claim_one_wins),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}

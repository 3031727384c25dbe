/* uses: warn text options only stack python fdtab holders family recorder views process libc
 *
 * The rooms that all threads of a program walk through at once: the table, the
 * holders, the recorder and the warnings' count. What is asserted holds however
 * the threads run; SAN=thread (make check SAN=thread SUITES=unit) sees besides
 * whether one ever reads what another writes without saying so. */
#include "fdtab.h"
#include "holders.h"
#include "options.h"
#include "recorder.h"
#include "warn.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

enum {
	THREADS = 6,
	NUMBERS = 3 * HC_FDTAB_BLOCK, /* the last blocks come into being in a race */
	ROUNDS = 4000,
	EVENTS = 3000,
};

static _Atomic unsigned failures;

/* cmocka's own asserts may not fail in a thread. */
static void must(bool is)
{
	if (!is)
		atomic_fetch_add(&failures, 1);
}

static void run(void *(*what)(void *))
{
	pthread_t threads[THREADS];
	atomic_store(&failures, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, what, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(failures, 0);
}

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* The kernel's part: who has which number. A close lets go of it and a birth
 * takes it, and no more than that is between two threads. */
static _Atomic bool taken[NUMBERS];

/* Mostly one of a few, on which threads meet. */
static int any_number(unsigned *state)
{
	int fd = (int)(next_random(state) % NUMBERS);
	return next_random(state) % 16 ? fd % 16 : fd;
}

static int take_number(unsigned *state)
{
	for (;;) {
		int fd = any_number(state);
		if (!atomic_exchange_explicit(&taken[fd], true, memory_order_acquire))
			return fd;
	}
}

static void give_number(int fd)
{
	atomic_store_explicit(&taken[fd], false, memory_order_release);
}

static bool close_number(int fd, uint64_t sock)
{
	struct hc_fd copy;
	if (!hc_fd_claim(fd, &copy))
		return false;
	must(copy.sock == sock && copy.born == sock + 1 && (hc_fd_word(fd) == 0));
	return true;
}

/* What a program does to numbers that are not its business: it closes what
 * another thread has, asks, marks, walks. */
static void look_around(unsigned *state)
{
	struct hc_fd copy;
	int fd = any_number(state);
	switch (next_random(state) % 4) {
	case 0:
		if (hc_fd_read(fd, &copy))
			must(copy.born == copy.sock + 1);
		break;
	case 1:
		hc_fd_mark(fd, HC_FD_LINGER0);
		break;
	case 2:
		for (int i = 0, at = fd; i < 8 && (at = hc_fd_next(at)) >= 0; i++, at++)
			must(at < NUMBERS);
		break;
	default:
		hc_holders_others((uint64_t)fd);
	}
}

static void *live(void *number)
{
	unsigned state = (unsigned)(uintptr_t)number * 7919u + 1;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		uint64_t sock = (uint64_t)(uintptr_t)number << 32 | i;
		int fd = take_number(&state), other;
		must(hc_fd_word(fd) == 0);
		must(hc_fd_fill(fd, HC_FD_TCP, sock, sock + 1) != NULL);
		look_around(&state);
		if (i % 4 == 0) {
			other = take_number(&state);
			hc_fd_copy(fd, other);
			must(close_number(other, sock));
			must(hc_holders_release(sock) == HC_HOLDING_self);
			give_number(other);
		}
		if (i % 8 == 0) { /* a close that failed */
			struct hc_fd copy;
			must(hc_fd_claim(fd, &copy));
			hc_fd_restore(fd, &copy);
		}
		must(close_number(fd, sock));
		must(hc_holders_release(sock) == HC_HOLDING_none);
		give_number(fd);
	}
	return NULL;
}

static void each_has_its_own_number(void **state)
{
	(void)state;
	run(live);
	assert_int_equal(hc_fd_next(0), -1);
}

/* One socket that two threads duplicate at the same moment, for the first time. */
static _Atomic unsigned met;

/* A barrier of two that leaves both running: a sleeper would come late. */
static void meet(unsigned *meetings)
{
	unsigned all = 2 * ++*meetings;
	atomic_fetch_add(&met, 1);
	for (unsigned spins = 0; atomic_load(&met) < all; spins++)
		if (spins > 1000)
			sched_yield();
}

static void *duplicate(void *number)
{
	unsigned meetings = 0;
	if ((uintptr_t)number > 1)
		return NULL;
	for (uint64_t i = 1; i <= 10 * ROUNDS; i++) {
		uint64_t sock = 77ull << 32 | i;
		meet(&meetings);
		hc_holders_copy(sock);
		meet(&meetings);
		/* there are three: the first, and one of each thread */
		must(hc_holders_release(sock) == HC_HOLDING_self);
		meet(&meetings);
		if (!number)
			must(hc_holders_release(sock) == HC_HOLDING_none);
	}
	return NULL;
}

static void the_last_of_many_duplicates_is_the_last(void **state)
{
	(void)state;
	run(duplicate);
}

static char path[] = "/tmp/halfclose-threads-XXXXXX";

/* Records of many sizes, each filled with what tells whose it is. */
static void *record(void *number)
{
	unsigned state = (unsigned)(uintptr_t)number + 1;
	for (uint32_t i = 0; i < EVENTS; i++) {
		char text[400];
		size_t used = 0, size = next_random(&state) % sizeof text;
		memset(text, 'a' + (int)(uintptr_t)number, size);
		struct hc_process *event = hc_record(HC_EVENT_process, size);
		must(event != NULL);
		if (!event)
			continue;
		event->ppid = (uint32_t)(uintptr_t)number << 16 | i;
		event->exe = hc_tail(event, &used, text, size);
		if (i % 512 == 0)
			sched_yield(); /* amid a record: its view may not go */
		if (i % 1000 == 0)
			hc_recorder_stock_up();
		hc_commit(event);
	}
	return NULL;
}

static void check_record(const char *bytes, unsigned *next)
{
	struct hc_process event;
	memcpy(&event, bytes, sizeof event);
	unsigned number = event.ppid >> 16;
	assert_int_equal(event.record.event, HC_EVENT_process);
	assert_true(number < THREADS);
	assert_int_equal(event.ppid & 0xffff, next[number]++);
	assert_true(event.exe.size <= 400 && event.exe.offset + event.exe.size <= event.record.slots * HC_SLOT_SIZE);
	for (uint32_t i = 0; i < event.exe.size; i++)
		assert_int_equal(bytes[event.exe.offset + i], 'a' + number);
}

static void each_record_is_whole(void **state)
{
	unsigned next[THREADS] = { 0 };
	struct hc_header header;
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_null(hc_recorder_open(path, 64u << 20));
	run(record);
	assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
	assert_int_equal(header.lost, 0);
	char *all = malloc(header.used);
	assert_int_equal(pread(fd, all, header.used, HC_HEADER_SIZE), header.used);
	for (uint64_t slot = 0; slot < header.used / HC_SLOT_SIZE;) {
		struct hc_record record;
		memcpy(&record, all + slot * HC_SLOT_SIZE, sizeof record);
		assert_int_equal(record.mark, hc_mark(slot));
		check_record(all + slot * HC_SLOT_SIZE, next);
		slot += record.slots;
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(next[i], EVENTS);
	free(all);
	close(fd);
	unlink(path);
}

/* How often each turn of a site's count was given out: once. */
static _Atomic unsigned due[THREADS * ROUNDS + 1];

static void *warn(void *number)
{
	static const char sites[2];
	(void)number;
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t turn = hc_warn_due(&sites[0]);
		if (turn)
			atomic_fetch_add(&due[turn], 1);
		hc_warn_due((const void *)(uintptr_t)(4096 + i % 128 * 4));
	}
	return NULL;
}

static void a_site_speaks_as_often_as_it_should(void **state)
{
	(void)state;
	run(warn);
	for (unsigned i = 1, ten = 10; i <= THREADS * ROUNDS; i++) {
		assert_int_equal(due[i], i <= 3 || i == ten);
		ten *= i == ten ? 10 : 1;
	}
}

static int set_up(void **state)
{
	(void)state;
	hc_libc_resolve();
	hc_self.pid = getpid();
	hc_self.on = true;
	hc_fdtab_init();
	return !hc_holders_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own_number),
		cmocka_unit_test(the_last_of_many_duplicates_is_the_last),
		cmocka_unit_test(each_record_is_whole),
		cmocka_unit_test(a_site_speaks_as_often_as_it_should),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}

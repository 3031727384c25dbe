/*
 * Every intercepted function, by each of its names: one success and the easy
 * failures. Bare and preloaded it must say the same, number for number.
 *
 *   calls             the tests
 *   calls main        but not of their other names
 *   calls exports LIB the names that LIB has to export and does, one a line
 */
#include "calls.h"
#include "calls_sockets.h"
#include "calls_ends.h"
#include "calls_processes.h"
#include "calls_epoll.h"

#include <dlfcn.h>

#define CALL(returns, name, parameters) returns (*p_##name) parameters;
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>

static const struct row {
	const char *name;
	bool other;
	void *pointer;
	void (*test)(void);
} rows[] = {
#define CALL(returns, name, parameters) { #name, false, &p_##name, test_##name },
#define END(returns, name, parameters) CALL(returns, name, parameters)
#define ALIAS(name, of) { #name, true, &p_##of, test_##of },
#include <halfclose/calls.def>
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool succeeded, failed;

void tally(const char *call, bool did_fail)
{
	static const char *const names[] = { "p_", "function(", "take(", "get(", "send_it(", "SYSCALL(" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strstr(call, names[i])) {
			failed = failed || did_fail;
			succeeded = succeeded || !did_fail;
		}
}

/* A row counts for nothing without a success and, where it can fail, a failure. */
static void check_tally(const char *name)
{
	static const char never_fail[] = " closefrom exit _exit _Exit quick_exit abort ";
	const char *found = strstr(never_fail, name);
	if (!succeeded || (!failed && !(found && found[-1] == ' ' && found[strlen(name)] == ' ')))
		errx(2, "%s is not tested: %s", name, succeeded ? "no failure" : "no success");
	succeeded = failed = false;
}

struct rlimit leave_no_number(void)
{
	struct rlimit before, now;
	must(!getrlimit(RLIMIT_NOFILE, &before), "getrlimit");
	now = before;
	int next = fcntl(1, F_DUPFD, 0);
	close(next);
	now.rlim_cur = (rlim_t)next;
	must(!setrlimit(RLIMIT_NOFILE, &now), "setrlimit");
	return before;
}

static bool (*volatile second)(int fd);
static int second_fd;
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	int kept = errno;
	(void)number;
	if (++signals >= 2 && second && second(second_fd))
		second = NULL;
	errno = kept;
}

void begin_signals(bool (*at_second)(int fd), int fd)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = at_second ? SA_RESTART : 0 };
	second = at_second;
	second_fd = fd;
	signals = 0;
	must(!sigaction(SIGALRM, &action, NULL) && !setitimer(ITIMER_REAL, &often, NULL), "setitimer");
}

void end_signals(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	must(!setitimer(ITIMER_REAL, &never, NULL), "setitimer");
}

/* What glibc before 2.39 has not */
static bool is_later(const char *name)
{
	return !strncmp(name, "pidfd_", 6) && !__GLIBC_PREREQ(2, 39);
}

static void resolve(const struct row *row)
{
	void *found = dlsym(RTLD_DEFAULT, row->name);
	if (is_later(row->name))
		return;
	if (!found)
		errx(2, "libc has no %s", row->name);
	memcpy(row->pointer, &found, sizeof found);
}

static int exports(const char *library)
{
	Dl_info in;
	void *handle = dlopen(library, RTLD_NOW), *found;
	if (!handle)
		errx(2, "%s", dlerror());
	for (int i = 0; i < ROWS; i++) {
		found = dlsym(handle, rows[i].name);
		if (found && dladdr(found, &in) && strstr(in.dli_fname, "libhalfclose"))
			puts(rows[i].name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exports"))
		return exports(argv[2]);
	for (int i = 0; i < ROWS; i++)
		resolve(&rows[i]);
	for (int i = 0; i < ROWS; i++) {
		if ((rows[i].other && argc == 2) || is_later(rows[i].name))
			continue;
		resolve(&rows[i]);
		say("%s:\n", rows[i].name);
		rows[i].test();
		check_tally(rows[i].name);
	}
	return 0;
}

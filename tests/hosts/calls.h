/*
 * One test for each row of calls.def; a row without one does not link. Each
 * calls by its pointer, so that it serves the row's other names too.
 */
#ifndef CALLS_H
#define CALLS_H

#include "net.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define CALL(returns, name, parameters) extern returns (*p_##name) parameters; void test_##name(void);
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>

/* Notes that the row under test has succeeded or failed, where the call is its
 * own: by its pointer, or by the name that a test for several rows has for it. */
void tally(const char *call, bool failed);

/* Calls with an errno of its own and says what came of it. */
#define TRY(call) do { \
		errno = 77; \
		long result_ = (long)(call); \
		tally(#call, errno != 77); \
		say("  %s = %ld %s\n", #call, result_, errno == 77 ? "" : strerrorname_np(errno)); \
	} while (0)

/* Where the result is a pointer or differs from run to run. */
#define TRY_IF(call) do { \
		errno = 77; \
		bool result_ = !!(call); \
		tally(#call, errno != 77); \
		say("  %s: %s %s\n", #call, result_ ? "yes" : "no", errno == 77 ? "" : strerrorname_np(errno)); \
	} while (0)

/* With no number left for another descriptor. */
#define FULL(call) do { \
		struct rlimit before_ = leave_no_number(); \
		call; \
		must(!setrlimit(RLIMIT_NOFILE, &before_), "setrlimit"); \
	} while (0)
struct rlimit leave_no_number(void);

/* A call that waits, and signals that come every 10 ms: with a handler that lets
 * the call go on (SA_RESTART) and calls `with` at the second, and at each until that
 * says that it was time, or one that does not. */
#define INTERRUPTED(call) do { \
		begin_signals(NULL, 0); \
		call; \
		end_signals(); \
	} while (0)
#define RESTARTED(call, with, on) do { \
		begin_signals(with, on); \
		call; \
		end_signals(); \
	} while (0)
void begin_signals(bool (*at_second)(int fd), int fd);
void end_signals(void);

/* What a child does, whose status is said. */
#define CHILD(what) do { \
		pid_t child_ = fork(); \
		tally(#what, false); \
		if (!child_) { \
			what; \
			_exit(99); \
		} \
		say("  child: %s: %x\n", #what, (unsigned)ended(child_)); \
	} while (0)

#endif

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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define CALL(returns, name, parameters) extern returns (*p_##name) parameters; void test_##name(void);
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>

/* Calls with an errno of its own and says what came of it. */
#define TRY(call) do { \
		errno = 77; \
		long result_ = (long)(call); \
		say("  %s = %ld %s\n", #call, result_, errno == 77 ? "" : strerrorname_np(errno)); \
	} while (0)

/* Where the result is a pointer or differs from run to run. */
#define TRY_IF(call) do { \
		errno = 77; \
		bool result_ = !!(call); \
		say("  %s: %s %s\n", #call, result_ ? "yes" : "no", errno == 77 ? "" : strerrorname_np(errno)); \
	} while (0)

/* What a child does, whose status is said. */
#define CHILD(what) do { \
		pid_t child_ = fork(); \
		if (!child_) { \
			what; \
			_exit(99); \
		} \
		say("  child: %s: %x\n", #what, (unsigned)ended(child_)); \
	} while (0)

#endif

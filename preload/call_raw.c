/*
 * The functions that may return twice or take what the kernel takes: clone,
 * prctl, syscall. What is not ours leaves by a jump: with a frame of ours on
 * the stack, a vfork child that comes back through syscall() would run over its
 * parent's. The build checks that no call to the real function is in here, so
 * this file is compiled with optimization whatever the rest is.
 */
#include "birth.h"
#include "copy.h"
#include "ending.h"
#include "init.h"
#include "options.h"
#include "polls.h"
#include "range.h"
#include "shutdown.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>

int hc_clone(int (*start)(void *), void *stack, int flags, void *argument, void *parent_tid, void *tls, void *child_tid)
    HC_SYMBOL(clone);
static __attribute__((noinline)) int clone_early(int (*start)(void *), void *stack, int flags, void *argument,
                                                 void *parent_tid, void *tls, void *child_tid)
{
	hc_libc_resolve();
	return hc_clone(start, stack, flags, argument, parent_tid, tls, child_tid);
}

HC_HOOK int hc_clone(int (*start)(void *), void *stack, int flags, void *argument, void *parent_tid, void *tls,
                     void *child_tid)
{
	if (unlikely(!hc_libc.clone))
		return clone_early(start, stack, flags, argument, parent_tid, tls, child_tid);
	hc_holders_spawn();
	return hc_libc.clone(start, stack, flags, argument, parent_tid, tls, child_tid);
}

/* The library falls silent before a filter is there, and speaks again if the
 * kernel did not take it: libseccomp asks for impossible ones to see what is
 * supported. */
static bool enter(void)
{
	bool before = atomic_load(&hc_self.sandboxed);
	hc_enter_sandbox();
	return before;
}

static void entered(bool before, bool taken)
{
	if (!taken && !before)
		hc_leave_sandbox();
}

/* Six arguments, as each of these has at most: a seventh would lie on the stack,
 * where the caller of syscall() has made no room for one. */
static __attribute__((noinline)) long seccomp_raw(long number, long a, long b, long c, long d, long e)
{
	bool before = enter();
	long result = hc_libc.syscall(number, a, b, c, d, e, 0);
	/* more than 0 is a listener where one was asked for, else the thread
	 * that could not take the filter */
	bool listens = number == SYS_seccomp && b & (long)SECCOMP_FILTER_FLAG_NEW_LISTENER;
	entered(before, !result || (result > 0 && listens));
	return result;
}

static __attribute__((noinline)) int seccomp_by_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                                                      unsigned long d)
{
	bool before = enter();
	int result = hc_libc.prctl(option, a, b, c, d);
	entered(before, !result);
	return result;
}

int hc_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) HC_SYMBOL(prctl);
HC_HOOK int hc_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	hc_libc_need();
	if (unlikely(option == PR_SET_SECCOMP))
		return seccomp_by_prctl(option, a, b, c, d);
	return hc_libc.prctl(option, a, b, c, d);
}

/* The numbers that concern sockets, done as our hooks do them but for the real
 * call, which stays the raw one: it is no cancellation point. */
static __attribute__((noinline)) long end_raw(long number, long a, long b, long c, const void *caller)
{
	struct hc_ending ending;
	int onto = number == SYS_close ? (int)a : (int)b;
	bool sure = number == SYS_close || (hc_is_open((int)a) && (number != SYS_dup3 || !(c & ~O_CLOEXEC)));
	bool followed =
	    (number == SYS_close || (int)a != (int)b) && hc_ending_begin(&ending, onto, HC_HOW_syscall, caller, sure);
	long result = hc_libc.syscall(number, a, b, c, 0, 0, 0);
	if (number != SYS_close)
		hc_copied_onto((int)a, onto, result >= 0, followed ? &ending : NULL);
	else if (followed)
		hc_ending_finish(&ending);
	return result;
}

static __attribute__((noinline)) long copy_raw(long number, long a, long b, long c)
{
	long result = hc_libc.syscall(number, a, b, c, 0, 0, 0);
	if (result >= 0)
		hc_copied((int)a, (int)result);
	return result;
}

static __attribute__((noinline)) long range_raw(long a, long b, long c, const void *caller)
{
	unsigned first = (unsigned)a, last = (unsigned)b;
	unsigned rest = hc_end_range(first, last, (int)c, HC_HOW_syscall, caller);
	return rest > last && rest != first ? 0 : hc_libc.syscall(SYS_close_range, rest, b, c, 0, 0, 0);
}

static __attribute__((noinline)) long accept_raw(long number, long a, long b, long c, long d)
{
	hc_ask();
	long result = hc_libc.syscall(number, a, b, c, d, 0, 0);
	if (result >= 0)
		hc_birth_accept((int)a, (int)result, NULL, 0);
	return result;
}

static __attribute__((noinline)) long socket_raw(long a, long b, long c)
{
	long result = hc_libc.syscall(SYS_socket, a, b, c, 0, 0, 0);
	if (result >= 0)
		hc_birth_socket((int)result, (int)a, (int)b, (int)c);
	return result;
}

static __attribute__((noinline)) long connect_raw(long a, long b, long c)
{
	uint64_t since = hc_self.recording ? hc_now() : 0;
	hc_ask();
	long result = hc_libc.syscall(SYS_connect, a, b, c, 0, 0, 0);
	if (hc_fd_word((int)a))
		hc_birth_connect((int)a, (void *)b, (socklen_t)c, result ? errno : 0, since);
	return result;
}

static __attribute__((noinline)) long listen_raw(long a, long b)
{
	long result = hc_libc.syscall(SYS_listen, a, b, 0, 0, 0, 0);
	if (!result)
		hc_birth_listener((int)a);
	return result;
}

static __attribute__((noinline)) long setsockopt_raw(long a, long b, long c, long d, long e)
{
	long result = hc_libc.syscall(SYS_setsockopt, a, b, c, d, e, 0);
	if (!result)
		hc_option_set((int)a, (int)b, (int)c, (const void *)d);
	return result;
}

static __attribute__((noinline)) long epoll_raw(long a, long b, long c, long d)
{
	long result = hc_libc.syscall(SYS_epoll_ctl, a, b, c, d, 0, 0);
	if (!result && hc_fd_word((int)c))
		hc_polls_note((int)a, (int)b, (int)c);
	return result;
}

static __attribute__((noinline)) long message_raw(long number, long a, long b, long c)
{
	hc_ask();
	long result = hc_libc.syscall(number, a, b, c, 0, 0, 0);
	if (result >= 0)
		(number == SYS_sendmsg ? hc_sent : hc_received)((const struct msghdr *)b);
	return result;
}

static __attribute__((noinline)) long shutdown_raw(long a, long b)
{
	bool followed = hc_self.recording && hc_fd_word((int)a);
	bool put_off = b == SHUT_RDWR && hc_options.GRACEFUL & HC_GRACEFUL_RDWR && hc_fd_word((int)a);
	hc_ask();
	enum hc_state state = followed ? hc_shutdown_begin((int)a) : HC_STATE_unknown;
	long result = put_off && hc_shutdown_put_off((int)a) ? 0 : hc_libc.syscall(SYS_shutdown, a, b, 0, 0, 0, 0);
	if (followed)
		hc_shutdown_done((int)a, (int)b, state, result ? errno : 0);
	return result;
}

/* A child with memory and stack of its own may find our frame on it. */
static __attribute__((noinline)) long fork_raw(long number, long a, long b, long c, long d, long e)
{
	hc_fork_prepare();
	long child = hc_libc.syscall(number, a, b, c, d, e, 0);
	if (!child) {
		hc_fork_child();
		return 0;
	}
	hc_fork_parent();
	hc_fork_told((pid_t)child);
	return child;
}

static __attribute__((noinline)) long exit_raw(long status, const void *caller)
{
	hc_ending_process(HC_HOW_syscall, (int)status, caller);
	return hc_libc.syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

long hc_syscall(long number, long a, long b, long c, long d, long e, long f) HC_SYMBOL(syscall);
static __attribute__((noinline)) long syscall_early(long number, long a, long b, long c, long d, long e, long f)
{
	hc_libc_resolve();
	return hc_syscall(number, a, b, c, d, e, f);
}

HC_HOOK long hc_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (unlikely(!hc_libc.syscall))
		return syscall_early(number, a, b, c, d, e, f);
	switch (number) {
	case SYS_close:
#ifdef SYS_dup2
	case SYS_dup2:
#endif
	case SYS_dup3:
		return end_raw(number, a, b, c, HC_CALLER);
	case SYS_dup:
		return copy_raw(number, a, b, c);
	case SYS_fcntl:
		if (b == F_DUPFD || b == F_DUPFD_CLOEXEC)
			return copy_raw(number, a, b, c);
		break;
	case SYS_close_range:
		return range_raw(a, b, c, HC_CALLER);
#ifdef SYS_accept
	case SYS_accept:
#endif
	case SYS_accept4:
		return accept_raw(number, a, b, c, d);
	case SYS_socket:
		return socket_raw(a, b, c);
	case SYS_connect:
		return connect_raw(a, b, c);
	case SYS_listen:
		return listen_raw(a, b);
	case SYS_setsockopt:
		return setsockopt_raw(a, b, c, d, e);
	case SYS_epoll_ctl:
		if (hc_options.GRACEFUL)
			return epoll_raw(a, b, c, d);
		break;
	case SYS_sendmsg:
	case SYS_recvmsg:
		return message_raw(number, a, b, c);
	case SYS_shutdown:
		return shutdown_raw(a, b);
	case SYS_unshare:
		if (a & CLONE_FILES)
			hc_note_spawn();
		break;
	case SYS_exit_group:
		return exit_raw(a, HC_CALLER);
	case SYS_seccomp:
		if (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER)
			return seccomp_raw(number, a, b, c, d, e);
		break;
	case SYS_prctl:
		if (a == PR_SET_SECCOMP)
			return seccomp_raw(number, a, b, c, d, e);
		break;
#ifdef SYS_fork
	case SYS_fork:
		return fork_raw(number, a, b, c, d, e);
#endif
	case SYS_clone:
		/* flags, then stack; on s390 the other way round, where b is set
		 * and it leaves by the jump */
		if (!(a & (CLONE_VM | CLONE_VFORK | CLONE_THREAD)) && !b)
			return fork_raw(number, a, b, c, d, e);
		hc_holders_spawn();
		break;
#ifdef SYS_vfork
	case SYS_vfork:
#endif
	case SYS_clone3:
	case SYS_execve:
	case SYS_execveat:
		hc_holders_spawn();
		break;
	default:
		break;
	}
	return hc_libc.syscall(number, a, b, c, d, e, f);
}

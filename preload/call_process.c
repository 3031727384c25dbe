/*
 * How processes come and go: each fork, spawn and exec can share descriptors,
 * each exec and exit ends some.
 */
#include "ending.h"
#include "family.h"
#include "handover.h"
#include "inherit.h"
#include "init.h"
#include "options.h"
#include "recorder.h"
#include "sharing.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The pthread_atfork handlers of init.c do the work, since libc's own forks
 * (daemon, forkpty) come by them too; only the child's id is known here alone. */
static inline pid_t fork_by(hc_call_fork real)
{
	pid_t child = real();
	if (child)
		hc_fork_told(child);
	return child;
}

HC_HOOK pid_t fork(void)
{
	hc_libc_need();
	return fork_by(hc_libc.fork);
}

HC_HOOK pid_t __fork(void)
{
	hc_libc_need();
	return fork_by(hc_libc.__fork);
}

HC_HOOK pid_t _Fork(void)
{
	hc_libc_need();
	hc_fork_prepare();
	pid_t child = hc_libc._Fork();
	if (!child) {
		hc_fork_child();
		return 0;
	}
	hc_fork_parent();
	hc_fork_told(child);
	return child;
}

/* What another thread opened or began to close meanwhile may be out, too. */
static void spawn_begin(void)
{
	atomic_fetch_add(&hc_self.forking, 1);
	hc_holders_spawn();
}

static void spawn_end(void)
{
	hc_note_spawn();
	atomic_fetch_sub(&hc_self.forking, 1);
}

/* No `real`: libc has none; it says what it would where the kernel can't. */
static int spawn_by(hc_call_posix_spawn real, int *told, const char *path, const posix_spawn_file_actions_t *actions,
                    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	if (!real)
		return ENOSYS;
	spawn_begin();
	int error = real(told, path, actions, attributes, argv, envp);
	spawn_end();
	return error;
}

HC_HOOK int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return spawn_by(hc_libc.posix_spawn, pid, path, actions, attributes, argv, envp);
}

HC_HOOK int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return spawn_by(hc_libc.posix_spawnp, pid, file, actions, attributes, argv, envp);
}

/* Of glibc 2.39 and later. */
HC_HOOK int pidfd_spawn(int *pidfd, const char *path, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return spawn_by(hc_libc.pidfd_spawn, pidfd, path, actions, attributes, argv, envp);
}

HC_HOOK int pidfd_spawnp(int *pidfd, const char *file, const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return spawn_by(hc_libc.pidfd_spawnp, pidfd, file, actions, attributes, argv, envp);
}

static FILE *popen_by(hc_call_popen real, const char *command, const char *mode)
{
	spawn_begin();
	FILE *stream = real(command, mode);
	spawn_end();
	return stream;
}

HC_HOOK FILE *popen(const char *command, const char *mode)
{
	hc_libc_need();
	return popen_by(hc_libc.popen, command, mode);
}

HC_HOOK FILE *_IO_popen(const char *command, const char *mode)
{
	hc_libc_need();
	return popen_by(hc_libc._IO_popen, command, mode);
}

HC_HOOK int system(const char *command)
{
	hc_libc_need();
	hc_holders_spawn();
	int status = hc_libc.system(command);
	hc_note_spawn();
	return status;
}

/* A thread that takes a copy of all descriptors holds what the others hold, and
 * what it closes of them is nobody's end. */
HC_HOOK int unshare(int flags)
{
	hc_libc_need();
	if (flags & CLONE_FILES)
		hc_note_spawn();
	return hc_libc.unshare(flags);
}

/* In a vfork child only the parent's doubt is raised: the child's descriptors
 * are a copy, but this memory is the parent's. */
static bool exec_begin(const void *caller)
{
	if (!hc_self.on)
		return false;
	hc_holders_spawn();
	if (hc_is_guest())
		return false;
	hc_family_exec(true);
	hc_ending_exec(caller);
	return true;
}

static int exec_failed(bool begun)
{
	if (!begun)
		return -1;
	hc_handover_keep();
	hc_family_exec(false);
	struct hc_exec_failed *event = hc_self.recording ? hc_record(HC_EVENT_exec_failed, 0) : NULL;
	if (event) {
		event->result = (uint32_t)errno;
		hc_commit(event);
	}
	return -1;
}

enum form { EXECVE, EXECVPE, EXECVEAT, FEXECVE };

static void real_exec(enum form form, int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	switch (form) {
	case EXECVE:
		hc_libc.execve(path, argv, envp);
		break;
	case EXECVPE:
		hc_libc.execvpe(path, argv, envp);
		break;
	case EXECVEAT:
		hc_libc.execveat(fd, path, argv, envp, flags);
		break;
	case FEXECVE:
		hc_libc.fexecve(fd, argv, envp);
		break;
	}
}

/* With a word for the next program about the sockets that it will hold alone. */
static void exec_with_word(enum form form, int fd, const char *path, char *const argv[], char *const envp[], int flags,
                           const struct hc_text *tail)
{
	struct hc_text variable;
	size_t count;
	int at = hc_inherit_find(envp, &count);
	if (at < 0 || !hc_inherit_join(envp[at], tail, &variable)) {
		real_exec(form, fd, path, argv, envp, flags);
		return;
	}
	char *copy[count + 1];
	memcpy(copy, envp, (count + 1) * sizeof *copy);
	copy[at] = variable.bytes;
	real_exec(form, fd, path, argv, copy, flags);
}

static inline __attribute__((always_inline)) int exec_any(enum form form, int fd, const char *path, char *const argv[],
                                                          char *const envp[], int flags, const void *caller)
{
	struct hc_text tail;
	/* before this exec itself counts as a way out */
	bool word = unlikely(hc_options.GRACEFUL) && hc_only_after_exec(&tail);
	bool begun = exec_begin(caller);
	if (unlikely(word && begun))
		exec_with_word(form, fd, path, argv, envp, flags, &tail);
	else
		real_exec(form, fd, path, argv, envp, flags);
	return exec_failed(begun);
}

HC_HOOK int execve(const char *path, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return exec_any(EXECVE, -1, path, argv, envp, 0, HC_CALLER);
}

HC_HOOK int execveat(int directory, const char *path, char *const argv[], char *const envp[], int flags)
{
	hc_libc_need();
	return exec_any(EXECVEAT, directory, path, argv, envp, flags, HC_CALLER);
}

HC_HOOK int execv(const char *path, char *const argv[])
{
	hc_libc_need();
	return exec_any(EXECVE, -1, path, argv, environ, 0, HC_CALLER);
}

HC_HOOK int execvp(const char *file, char *const argv[])
{
	hc_libc_need();
	return exec_any(EXECVPE, -1, file, argv, environ, 0, HC_CALLER);
}

HC_HOOK int execvpe(const char *file, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return exec_any(EXECVPE, -1, file, argv, envp, 0, HC_CALLER);
}

HC_HOOK int fexecve(int fd, char *const argv[], char *const envp[])
{
	hc_libc_need();
	return exec_any(FEXECVE, fd, NULL, argv, envp, 0, HC_CALLER);
}

/* The list forms become the vector forms, as libc does it: on the stack, since
 * a vfork child may be the caller. How many arguments follow the first: */
static size_t count_list(va_list *list)
{
	size_t n = 0;
	while (va_arg(*list, const char *))
		n++;
	return n;
}

/* Leaves the list behind its NULL, where execle's environment stands. */
static void fill_list(char **argv, const char *first, va_list *list)
{
	*argv = (char *)(uintptr_t)first;
	while (*argv++)
		*argv = va_arg(*list, char *);
}

HC_HOOK int execl(const char *path, const char *argument, ...)
{
	va_list list, ahead;
	hc_libc_need();
	va_start(list, argument);
	va_copy(ahead, list);
	char *argv[count_list(&ahead) + 2];
	fill_list(argv, argument, &list);
	va_end(ahead);
	va_end(list);
	return exec_any(EXECVE, -1, path, argv, environ, 0, HC_CALLER);
}

HC_HOOK int execlp(const char *file, const char *argument, ...)
{
	va_list list, ahead;
	hc_libc_need();
	va_start(list, argument);
	va_copy(ahead, list);
	char *argv[count_list(&ahead) + 2];
	fill_list(argv, argument, &list);
	va_end(ahead);
	va_end(list);
	return exec_any(EXECVPE, -1, file, argv, environ, 0, HC_CALLER);
}

HC_HOOK int execle(const char *path, const char *argument, ...)
{
	va_list list, ahead;
	hc_libc_need();
	va_start(list, argument);
	va_copy(ahead, list);
	char *argv[count_list(&ahead) + 2];
	fill_list(argv, argument, &list);
	char *const *envp = va_arg(list, char *const *);
	va_end(ahead);
	va_end(list);
	return exec_any(EXECVE, -1, path, argv, envp, 0, HC_CALLER);
}

/* exit's work is done by a handler of ours, the last to run, so that what the
 * program's own handlers and destructors still close is closed by them. */
HC_HOOK void exit(int status)
{
	hc_libc_need();
	hc_note_exit();
	hc_libc.exit(status);
	__builtin_unreachable();
}

HC_HOOK void _exit(int status)
{
	hc_libc_need();
	hc_ending_process(HC_HOW__exit, status, HC_CALLER);
	hc_libc._exit(status);
	__builtin_unreachable();
}

HC_HOOK void _Exit(int status)
{
	hc_libc_need();
	hc_ending_process(HC_HOW__Exit, status, HC_CALLER);
	hc_libc._Exit(status);
	__builtin_unreachable();
}

HC_HOOK void quick_exit(int status)
{
	hc_libc_need();
	hc_note_quick_exit(status);
	hc_libc.quick_exit(status);
	__builtin_unreachable();
}

static bool ends_by_abort(void)
{
	/* as the kernel has it: the handler, flags, the mask (and a restorer) */
	unsigned long is[8] = { 1, 1 };
	return !hc_sys(SYS_rt_sigaction, SIGABRT, 0, (long)is, _NSIG / 8, 0) && is[0] == (unsigned long)SIG_DFL;
}

/* The program's own call, passed on: nothing of ours aborts. It is an end like exit
 * for the connections that are open, and libc raises the signal past every hook. Seen
 * only where an end is to be made graceful, and only where nothing of the program's
 * runs any more after it: a handler may leave by a jump. */
HC_HOOK void abort(void)
{
	hc_libc_need();
	if (unlikely(hc_options.GRACEFUL && !atomic_load(&hc_self.sandboxed) && ends_by_abort()))
		hc_ending_process(HC_HOW_abort, 128 + SIGABRT, HC_CALLER);
	hc_libc.abort();
	__builtin_unreachable();
}

/*
 * Start, fork and end of the library in a process. No teardown: what other
 * libraries' destructors still do finds everything in place.
 */
#include "birth.h"
#include "ending.h"
#include "family.h"
#include "handover.h"
#include "inherit.h"
#include "init.h"
#include "only.h"
#include "options.h"
#include "recorder.h"
#include "stack.h"
#include "text.h"
#include "views.h"
#include "warn.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static __thread uint64_t child_place __attribute__((tls_model("initial-exec")));

void hc_enter_sandbox(void)
{
	if (!hc_self.on || hc_is_guest())
		return;
	hc_tid();
	if (hc_self.recording)
		hc_recorder_stock_up();
	atomic_store(&hc_self.sandboxed, true);
}

void hc_leave_sandbox(void)
{
	atomic_store(&hc_self.sandboxed, false);
}

static size_t join_arguments(int argc, char **argv, char *into, size_t size)
{
	size_t used = 0;
	for (int i = 0; i < argc && argv[i]; i++) {
		size_t n = strlen(argv[i]), room = size - used;
		if (i && room)
			into[used++] = ' ', room--;
		n = n < room ? n : room;
		memcpy(into + used, argv[i], n);
		used += n;
	}
	return used;
}

static void record_process(enum hc_start start, int argc, char **argv, char **envp)
{
	char cmdline[1024], options[1024];
	size_t used = 0, exe_size = 0, cmdline_size = 0, options_size = 0;

	if (!hc_self.recording)
		return;
	if (start == HC_START_exec) {
		exe_size = strlen(hc_self.exe);
		cmdline_size = join_arguments(argc, argv, cmdline, sizeof cmdline);
		options_size = hc_options_text(envp, options, sizeof options);
	}
	struct hc_process *event = hc_record(HC_EVENT_process, exe_size + cmdline_size + options_size);
	if (!event)
		return;
	event->ppid = (uint32_t)hc_sys(SYS_getppid, 0, 0, 0, 0, 0);
	event->start = (uint8_t)start;
	event->exe = hc_tail(event, &used, hc_self.exe, exe_size);
	event->cmdline = hc_tail(event, &used, cmdline, cmdline_size);
	event->options = hc_tail(event, &used, options, options_size);
	hc_commit(event);
}

/* fork */

void hc_fork_prepare(void)
{
	if (!hc_self.on || hc_is_guest())
		return;
	if (hc_options.GRACEFUL && !atomic_load(&hc_self.sandboxed))
		hc_handover_fork();
	atomic_fetch_add(&hc_self.forking, 1);
	atomic_fetch_add(&hc_self.epoch, 1);
	child_place = hc_holders_fork();
}

/* What another thread opened while the fork was under way, the child may hold:
 * it was born before this. */
void hc_fork_parent(void)
{
	if (!hc_self.on || hc_is_guest())
		return;
	atomic_fetch_add(&hc_self.epoch, 1);
	atomic_fetch_sub(&hc_self.forking, 1);
}

void hc_fork_told(pid_t child)
{
	if (child_place && !hc_is_guest()) {
		hc_family_forked(child_place, child);
		child_place = 0;
	}
}

/* What another thread opened after the fork was prepared came along uncounted:
 * nobody here knows of the parent that uses it. */
static void doubt_late_births(void)
{
	struct hc_fd entry;
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1))
		if (hc_fd_read(fd, &entry) && !hc_holders_counts(entry.sock))
			hc_fd_mark(fd, HC_FD_OUTSIDE);
}

void hc_fork_child(void)
{
	if (!hc_self.on)
		return;
	if (atomic_load(&hc_self.sandboxed)) {
		/* it can't even ask for its own id */
		hc_self.on = hc_self.recording = false;
		hc_fdtab_close();
		return;
	}
	atomic_fetch_add(&hc_self.epoch, 1); /* as in the parent */
	atomic_store(&hc_self.forking, 0);
	hc_self.pid = (pid_t)hc_sys(SYS_getpid, 0, 0, 0, 0, 0);
	hc_tid_forget();
	hc_family_child(child_place);
	child_place = 0;
	if (hc_options.GRACEFUL)
		doubt_late_births();
	atomic_store(&hc_self.sockets, 0);
	hc_self.number = (uint32_t)hc_self.pid;
	if (hc_self.recording) {
		hc_views_child();
		hc_self.number = hc_recorder_number();
	}
	record_process(HC_START_fork, 0, NULL, NULL);
}

/* start */

/* %p: the process id, %e: the program's name */
static bool expand_path(const char *pattern, struct hc_text *path)
{
	const char *name = strrchr(hc_self.exe, '/');
	name = name ? name + 1 : hc_self.exe;
	for (; *pattern; pattern++) {
		if (*pattern != '%')
			hc_put_bytes(path, pattern, 1);
		else if (*++pattern == 'p')
			hc_put_number(path, (uint64_t)hc_self.pid);
		else if (*pattern == 'e')
			hc_put(path, name);
		else if (*pattern == '%')
			hc_put(path, "%");
		else
			return false;
	}
	return path->used < sizeof path->bytes - 1;
}

static void open_recording(void)
{
	struct hc_text path = { 0 }, line = { 0 };
	const char *why = "is no path: %p, %e and %% alone may follow a %, and 700 bytes must do";
	if (!hc_options.LOG)
		return;
	if (expand_path(hc_options.LOG, &path))
		why = hc_recorder_open(path.bytes, hc_options.LOG_MAX);
	if (!why) {
		if (hc_options.GRACEFUL)
			hc_handover_recording(path.bytes);
		hc_self.recording = true;
		hc_self.number = hc_recorder_number();
		return;
	}
	hc_put(&line, "no recording: ");
	hc_put(&line, path.bytes);
	hc_put(&line, " ");
	hc_put(&line, why);
	hc_complain(line.bytes);
}

static void find_exe(char **argv)
{
	ssize_t n = readlink("/proc/self/exe", hc_self.exe, sizeof hc_self.exe - 1);
	if (n <= 0 && argv && argv[0]) {
		n = (ssize_t)strnlen(argv[0], sizeof hc_self.exe - 1);
		memcpy(hc_self.exe, argv[0], (size_t)n);
	}
	hc_self.exe[n > 0 ? n : 0] = '\0';
}

static void adopt_all(void)
{
	char space[4096] __attribute__((aligned(8)));
	int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		for (int fd = 0; fd < 64; fd++)
			hc_birth_adopt(fd, HC_VIA_exec);
		return;
	}
	for (long n; (n = hc_sys(SYS_getdents64, directory, (long)space, sizeof space, 0, 0)) > 0;) {
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(space + at);
			const char *end;
			uint64_t fd;
			at += entry->d_reclen;
			if (hc_read_digits(entry->d_name, &end, &fd) && !*end && (int)fd != directory)
				hc_birth_adopt((int)fd, HC_VIA_exec);
		}
	}
	hc_sys(SYS_close, directory, 0, 0, 0, 0);
}

static void end(int status, void *unused);
static void end_quickly(void *unused);

/* In a program with another C library. It has no arguments for constructors. */
static void stand_aside(void)
{
	hc_self.pid = getpid();
	find_exe(NULL);
	hc_warn_init();
	hc_options_read(environ, hc_complain);
	if (!hc_options.OFF)
		hc_complain("standing aside: the program has another C library than glibc");
}

/* libc's own constructor runs after this one: what it sets up (environ, stdio)
 * is not there yet, which is why the arguments of this one are used. */
static __attribute__((constructor)) void start(int argc, char **argv, char **envp)
{
	int kept = errno;
	hc_libc_resolve();
	if (!hc_libc_is_known()) {
		stand_aside();
		goto out;
	}
	hc_self.pid = getpid();
	hc_self.number = (uint32_t)hc_self.pid;
	find_exe(argv);
	hc_warn_init();
	hc_options_read(envp, hc_complain);
	if (hc_options.OFF || !hc_only_program(hc_self.exe))
		goto out;
	hc_stack_init();
	/* without these a child would be taken for its parent, and what both
	 * hold for what one of them closes */
	if (hc_self.pid <= 0 ||
	    __register_atfork(hc_fork_prepare, hc_fork_parent, hc_fork_child, &__dso_handle)) {
		hc_complain("standing aside: it can't follow its processes");
		goto out;
	}
	hc_fdtab_init();
	hc_holders_init();
	if (hc_options.GRACEFUL) {
		hc_handover_init(hc_options.DRAIN_HELPER);
		hc_inherit_read(envp);
	}
	open_recording();
	if (hc_options.WARN == HC_WARN_AUTO)
		hc_options.WARN = hc_options.LOG ? HC_WARN_OFF : HC_WARN_STDERR;
	hc_self.on = true;
	record_process(HC_START_exec, argc, argv, envp);
	adopt_all();
	/* registered before libc registers the loader's work, this runs after
	 * the last destructor of all: what they close is closed by them */
	if (on_exit(end, NULL) || __cxa_at_quick_exit(end_quickly, &__dso_handle))
		hc_complain("what is open when the program ends will not be seen to end");
out:
	errno = kept;
}

/* end */

static _Atomic bool exit_was_called;

void hc_note_exit(void)
{
	atomic_store(&exit_was_called, true);
}

static _Atomic int quick_status = -1;

void hc_note_quick_exit(int status)
{
	atomic_store(&quick_status, status & 0xff);
}

static void end_quickly(void *unused)
{
	(void)unused;
	hc_ending_process(HC_HOW_quick_exit, atomic_load(&quick_status), NULL);
}

static void end(int status, void *unused)
{
	(void)unused;
	/* what exit() does right after this, and what must be out before our FINs */
	if (hc_self.on && hc_options.GRACEFUL && fcloseall && hc_fd_next(0) >= 0 && !hc_is_guest())
		fcloseall();
	hc_ending_process(atomic_load(&exit_was_called) ? HC_HOW_exit : HC_HOW_return, status & 0xff, NULL);
}

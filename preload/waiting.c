#include "waiting.h"
#include "process.h"
#include "text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/single_threaded.h>
#include <sys/uio.h>

enum { POLLED_AT_MOST = 1024 };

/* The thread may leave the call while we look: its memory is read by a call that
 * fails where a load would end us. */
static bool copy_own(void *into, uint64_t from, size_t size)
{
	const struct iovec to = { into, size }, source = { (void *)(uintptr_t)from, size }; /* NOLINT */
	return hc_sys6(SYS_process_vm_readv, hc_self.pid, (long)&to, 1, (long)&source, 1, 0) == (long)size;
}

static bool is_among(int fd, uint64_t list, uint64_t count)
{
	struct pollfd is = { 0 };
	for (uint64_t i = 0; i < count && i < POLLED_AT_MOST; i++)
		if (!copy_own(&is, list + i * sizeof is, sizeof is) || is.fd == fd)
			return true;
	return count > POLLED_AT_MOST;
}

static bool is_selected(int fd, uint64_t highest, const uint64_t *sets)
{
	if ((uint64_t)fd >= highest)
		return false;
	for (int i = 0; i < 3; i++) {
		unsigned long word = 0;
		if (!sets[i])
			continue;
		unsigned bits = sizeof word * CHAR_BIT;
		if (!copy_own(&word, sets[i] + (unsigned)fd / bits * sizeof word, sizeof word) ||
		    word & 1ul << (unsigned)fd % bits)
			return true;
	}
	return false;
}

static bool waits_in(uint64_t number, const uint64_t *arguments, int fd, bool polled)
{
	switch (number) {
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		return is_among(fd, arguments[0], arguments[1]);
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		return is_selected(fd, arguments[0], arguments + 1);
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return polled;
	case SYS_sendfile:
	case SYS_splice:
		/* the descriptor may be the second or the third argument */
		return (int)arguments[0] == fd || (int)arguments[1] == fd || (int)arguments[2] == fd;
	case SYS_futex:
		return false;
	default:
		return (int)arguments[0] == fd;
	}
}

static bool read_hex(const char **text, uint64_t *number)
{
	int digits = 0;
	*number = 0;
	if (!strncmp(*text, "0x", 2))
		*text += 2;
	for (; digits < 16; digits++, ++*text) {
		char c = **text;
		int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (value < 0)
			break;
		*number = *number << 4 | (unsigned)value;
	}
	while (**text == ' ')
		++*text;
	return digits > 0;
}

/* "running", or the number of a system call and its arguments. */
static bool thread_waits(const char *line, int fd, bool polled)
{
	uint64_t number, arguments[6];
	const char *at;
	if (!hc_read_digits(line, &at, &number))
		return false;
	while (*at == ' ')
		at++;
	for (int i = 0; i < 6; i++)
		if (!read_hex(&at, &arguments[i]))
			return true;
	return waits_in(number, arguments, fd, polled);
}

/* The beginning of a file of /proc; < 0: errno tells why there is none. */
static long read_line(int directory, const char *path, char *line, size_t size)
{
	long file = hc_sys(SYS_openat, directory, (long)path, O_RDONLY | O_CLOEXEC, 0, 0);
	if (file < 0)
		return -1;
	long n = hc_sys(SYS_read, file, (long)line, (long)size - 1, 0, 0);
	int why = errno;
	hc_sys(SYS_close, file, 0, 0, 0, 0);
	errno = why;
	if (n >= 0)
		line[n] = '\0';
	return n;
}

/* Of a thread: its file of that name in /proc. */
static long read_of(int tasks, const char *thread, const char *name, char *line, size_t size)
{
	struct hc_text path = { 0 };
	hc_put(&path, thread);
	hc_put(&path, name);
	return read_line(tasks, path.bytes, line, size);
}

static bool look_at(int tasks, const char *thread, int fd, bool polled)
{
	char line[256];
	long n = read_of(tasks, thread, "/syscall", line, sizeof line);
	/* where it has ended meanwhile it waits for nothing */
	return n > 0 ? thread_waits(line, fd, polled) : n == 0 || (errno != ENOENT && errno != ESRCH);
}

/* What a thread does, by its line in /proc; '\0' where there is none. */
static char state_in(const char *line)
{
	const char *name = strrchr(line, ')');
	return name && name[1] ? name[2] : '\0';
}

/* Nobody woke it up. What waits for its own memory, or was stopped, is on its way. */
static bool rests(int tasks, const char *thread)
{
	char line[256];
	return read_of(tasks, thread, "/stat", line, sizeof line) <= 0 || strchr("SIZX", state_in(line));
}

/* Is there another thread that waits for `fd`; or, where that is -1, one that does
 * not rest? cant_tell: what is said where the kernel does not tell. */
static bool any_thread(int fd, bool polled, bool cant_tell)
{
	char space[2048] __attribute__((aligned(8)));
	bool found = false;
	int kept = errno;
	int tasks =
	    (int)hc_sys(SYS_openat, AT_FDCWD, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
	long n = tasks;
	while (!found && n >= 0 && (n = hc_sys(SYS_getdents64, tasks, (long)space, sizeof space, 0, 0)) > 0) {
		for (long at = 0; !found && at < n;) {
			const struct dirent64 *entry = (const void *)(space + at);
			const char *rest;
			uint64_t tid;
			at += entry->d_reclen;
			if (hc_read_digits(entry->d_name, &rest, &tid) && tid != hc_tid())
				found = fd < 0 ? !rests(tasks, entry->d_name)
				               : look_at(tasks, entry->d_name, fd, polled);
		}
	}
	if (tasks >= 0)
		hc_sys(SYS_close, tasks, 0, 0, 0, 0);
	errno = kept;
	return found || (n < 0 && cant_tell);
}

bool hc_waiting_for(int fd, bool polled)
{
	return !__libc_single_threaded && any_thread(fd, polled, true);
}

bool hc_others_are_on_their_way(void)
{
	return !__libc_single_threaded && any_thread(-1, false, false);
}

bool hc_runs(long pid)
{
	int kept = errno;
	struct hc_text path = { 0 };
	char line[256];
	hc_put(&path, "/proc/");
	hc_put_number(&path, (uint64_t)pid);
	hc_put(&path, "/stat");
	char state = read_line(AT_FDCWD, path.bytes, line, sizeof line) > 0 ? state_in(line) : '\0';
	errno = kept;
	/* what waits for its own memory is on its way, too */
	return state == 'R' || state == 'D';
}

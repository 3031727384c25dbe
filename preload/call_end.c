/*
 * How a descriptor ends, one by one or in numbers.
 */
#include "crossing.h"
#include "ending.h"
#include "options.h"
#include "range.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/single_threaded.h>

static inline int close_by(hc_call_close real, int fd, const void *caller)
{
	struct hc_ending ending;
	if (likely(!hc_fd_word(fd)))
		return real(fd);
	/* a cancellation that is pending acts here, as it would at the start of
	 * the real close, while nothing has changed yet */
	pthread_testcancel();
	bool followed = hc_ending_begin(&ending, fd, HC_HOW_close, caller, true);
	int result = real(fd);
	/* Linux has freed the number whatever close says, but for EBADF, where
	 * there was none */
	if (followed)
		hc_ending_finish(&ending);
	return result;
}

HC_HOOK int close(int fd)
{
	hc_libc_need();
	return close_by(hc_libc.close, fd, HC_CALLER);
}

HC_HOOK int __close(int fd)
{
	hc_libc_need();
	return close_by(hc_libc.__close, fd, HC_CALLER);
}

/* Is a followed socket's buffered output still to be written? It must be out
 * before our FIN. errno stays. */
static void flush_first(FILE *stream, int fd)
{
	int kept = errno;
	if (unlikely(hc_options.GRACEFUL && hc_fd_word(fd)))
		fflush(stream);
	errno = kept;
}

/* -1 where there is none; errno stays. */
static int number_of(FILE *stream)
{
	int kept = errno;
	int fd = hc_self.on ? fileno_unlocked(stream) : -1;
	errno = kept;
	return fd;
}

static int fclose_by(hc_call_fclose real, FILE *stream, const void *caller)
{
	struct hc_ending ending;
	int fd = number_of(stream);
	flush_first(stream, fd);
	bool followed = hc_ending_begin(&ending, fd, HC_HOW_fclose, caller, true);
	int result = real(stream);
	if (followed)
		hc_ending_finish(&ending);
	return result;
}

HC_HOOK int fclose(FILE *stream)
{
	hc_libc_need();
	return fclose_by(hc_libc.fclose, stream, HC_CALLER);
}

HC_HOOK int _IO_fclose(FILE *stream)
{
	hc_libc_need();
	return fclose_by(hc_libc._IO_fclose, stream, HC_CALLER);
}

static FILE *end_by_freopen(FILE *(*real)(const char *, const char *, FILE *), const char *path, const char *mode,
                            FILE *stream, enum hc_how how, const void *caller)
{
	struct hc_ending ending;
	int fd = number_of(stream);
	flush_first(stream, fd);
	bool followed = hc_ending_begin(&ending, fd, how, caller, true);
	FILE *result = real(path, mode, stream);
	if (followed)
		hc_ending_finish(&ending);
	return result;
}

HC_HOOK FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	hc_libc_need();
	return end_by_freopen(hc_libc.freopen, path, mode, stream, HC_HOW_freopen, HC_CALLER);
}

HC_HOOK FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
	hc_libc_need();
	return end_by_freopen(hc_libc.freopen64, path, mode, stream, HC_HOW_freopen64, HC_CALLER);
}

/* By the function that the program called: another library may look on. */
static void end_piece(unsigned first, unsigned last, int flags, enum hc_how how)
{
	if (how == HC_HOW_syscall)
		hc_libc.syscall(SYS_close_range, first, last, flags, 0, 0, 0);
	else
		hc_libc.close_range(first, last, flags);
}

/* Is this the only thread? libc does not forget that there was another; /proc
 * has a directory, and so a link, for each. */
static bool is_alone(void)
{
	struct statx tasks;
	int kept = errno;
	bool alone = __libc_single_threaded ||
	             (!atomic_load(&hc_self.sandboxed) &&
	              !hc_sys(SYS_statx, AT_FDCWD, (long)"/proc/self/task", 0, STATX_NLINK, (long)&tasks) &&
	              tasks.stx_nlink == 3);
	errno = kept;
	return alone;
}

/* Numbers that end by one call are closed in pieces: each that is followed by
 * itself, right after it was judged, and what lies between by the call. No number
 * is closed twice: another thread can be given it in between. */
unsigned hc_end_range(unsigned first, unsigned last, int flags, enum hc_how how, const void *caller)
{
	struct hc_ending ending;
	/* close-on-exec is set instead of an end, and another flag is refused */
	if (flags & (int)CLOSE_RANGE_CLOEXEC && hc_ending_any(first, last))
		for (int fd = hc_fd_next((int)first); fd >= 0 && (unsigned)fd <= last; fd = hc_fd_next(fd + 1))
			hc_note_gone(fd);
	if (first > last || flags & ~(int)CLOSE_RANGE_UNSHARE)
		return first;
	/* the other threads keep the descriptors that this one parts from */
	if (flags & (int)CLOSE_RANGE_UNSHARE && !is_alone()) {
		hc_note_spawn();
		return first;
	}
	if (!hc_ending_any(first, last) || hc_is_guest())
		return first;
	int kept = errno;
	/* libc has ways of its own where the kernel knows no such call (valgrind,
	 * which does, takes the empty range for a wrong one); and the table may be
	 * shared with a process that libc knows nothing of */
	if (!atomic_load(&hc_self.sandboxed) &&
	    ((hc_sys(SYS_close_range, -1, -1, 0, 0, 0) && errno != EINVAL) ||
	     (flags & (int)CLOSE_RANGE_UNSHARE && hc_sys(SYS_unshare, CLONE_FILES, 0, 0, 0, 0)))) {
		errno = kept;
		return first;
	}
	/* a sandbox may know nothing of close; there is nothing to judge in it */
	bool whole = atomic_load(&hc_self.sandboxed);
	for (int fd = hc_fd_next((int)first); fd >= 0 && (unsigned)fd <= last; fd = hc_fd_next(fd + 1)) {
		if (!hc_ending_begin(&ending, fd, how, caller, !whole))
			continue;
		if (!whole && (unsigned)fd > first)
			end_piece(first, (unsigned)fd - 1, flags, how);
		if (!whole)
			end_piece((unsigned)fd, (unsigned)fd, 0, how);
		hc_ending_finish(&ending);
		first = whole ? first : (unsigned)fd + 1;
	}
	errno = kept;
	return first;
}

/* What is left of a range may be nothing; libc would refuse that. */
HC_HOOK int close_range(unsigned first, unsigned last, int flags)
{
	hc_libc_need();
	unsigned rest = hc_end_range(first, last, flags, HC_HOW_close_range, HC_CALLER);
	return rest > last && rest != first ? 0 : hc_libc.close_range(rest, last, flags);
}

HC_HOOK void closefrom(int first)
{
	hc_libc_need();
	hc_libc.closefrom(
	    (int)hc_end_range(first < 0 ? 0 : (unsigned)first, UINT32_MAX, 0, HC_HOW_closefrom, HC_CALLER));
}

/*
 * Another preloaded library with hooks of its own. As many do, it finds the real
 * functions in its constructor and can't be called before; and it has nothing to
 * do with system calls that it doesn't know. At the end it says how often each
 * was called, and of how many descriptors it saw the end.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOOKS \
	HOOK(int, socket, (int a, int b, int c), (a, b, c)) \
	HOOK(int, connect, (int a, const struct sockaddr *b, socklen_t c), (a, b, c)) \
	HOOK(int, accept, (int a, struct sockaddr *b, socklen_t *c), (a, b, c)) \
	HOOK(int, accept4, (int a, struct sockaddr *b, socklen_t *c, int d), (a, b, c, d)) \
	HOOK(int, listen, (int a, int b), (a, b)) \
	HOOK(int, shutdown, (int a, int b), (a, b)) \
	HOOK(int, dup, (int a), (a)) \
	HOOK(int, getsockopt, (int a, int b, int c, void *d, socklen_t *e), (a, b, c, d, e)) \
	HOOK(int, setsockopt, (int a, int b, int c, const void *d, socklen_t e), (a, b, c, d, e)) \
	HOOK(int, getsockname, (int a, struct sockaddr *b, socklen_t *c), (a, b, c)) \
	HOOK(int, getpeername, (int a, struct sockaddr *b, socklen_t *c), (a, b, c)) \
	HOOK(ssize_t, sendto, (int a, const void *b, size_t c, int d, const struct sockaddr *e, socklen_t f), (a, b, c, d, e, f)) \
	HOOK(int, ioctl, (int a, unsigned long b, void *c), (a, b, c)) \
	HOOK(int, fcntl, (int a, int b, void *c), (a, b, c)) \
	HOOK(int, open, (const char *a, int b, int c), (a, b, c)) \
	HOOK(int, open64, (const char *a, int b, int c), (a, b, c)) \
	HOOK(ssize_t, read, (int a, void *b, size_t c), (a, b, c)) \
	HOOK(ssize_t, pread64, (int a, void *b, size_t c, off64_t d), (a, b, c, d)) \
	HOOK(ssize_t, write, (int a, const void *b, size_t c), (a, b, c)) \
	HOOK(ssize_t, pwrite64, (int a, const void *b, size_t c, off64_t d), (a, b, c, d)) \
	HOOK(ssize_t, readlink, (const char *a, char *b, size_t c), (a, b, c)) \
	HOOK(int, fstat, (int a, struct stat *b), (a, b)) \
	HOOK(int, fstat64, (int a, struct stat64 *b), (a, b)) \
	HOOK(int, ftruncate64, (int a, off64_t b), (a, b)) \
	HOOK(void *, mmap, (void *a, size_t b, int c, int d, int e, off_t f), (a, b, c, d, e, f)) \
	HOOK(void *, mmap64, (void *a, size_t b, int c, int d, int e, off64_t f), (a, b, c, d, e, f)) \
	HOOK(int, munmap, (void *a, size_t b), (a, b)) \
	HOOK(int, mprotect, (void *a, size_t b, int c), (a, b, c)) \
	HOOK(int, madvise, (void *a, size_t b, int c), (a, b, c)) \
	HOOK(int, getrlimit, (__rlimit_resource_t a, struct rlimit *b), (a, b)) \
	HOOK(int, getrlimit64, (__rlimit_resource_t a, struct rlimit64 *b), (a, b)) \
	HOOK(int, poll, (struct pollfd *a, nfds_t b, int c), (a, b, c)) \
	HOOK(int, ppoll, (struct pollfd *a, nfds_t b, const struct timespec *c, const sigset_t *d), (a, b, c, d)) \
	HOOK(int, kill, (pid_t a, int b), (a, b)) \
	HOOK(pid_t, waitpid, (pid_t a, int *b, int c), (a, b, c)) \
	HOOK(int, waitid, (idtype_t a, id_t b, siginfo_t *c, int d), (a, b, c, d)) \
	HOOK(pid_t, getpid, (void), ()) \
	HOOK(pid_t, getppid, (void), ()) \
	HOOK(int, nanosleep, (const struct timespec *a, struct timespec *b), (a, b)) \
	HOOK(int, clock_gettime, (clockid_t a, struct timespec *b), (a, b)) \
	HOOK(int, sigprocmask, (int a, const sigset_t *b, sigset_t *c), (a, b, c)) \
	HOOK(long, sysconf, (int a), (a))

enum {
#define HOOK(returns, name, parameters, arguments) COUNT_##name,
	HOOKS
#undef HOOK
	COUNT_syscall,
	COUNTS
};
static const char *const names[] = {
#define HOOK(returns, name, parameters, arguments) #name,
	HOOKS
#undef HOOK
	"syscall",
};
static unsigned counts[COUNTS];

#define HOOK(returns, name, parameters, arguments) \
	static returns (*real_##name) parameters; \
	returns name parameters; \
	returns name parameters \
	{ \
		counts[COUNT_##name]++; \
		return real_##name arguments; \
	}
HOOKS
#undef HOOK

/* descriptors, however they end */

static unsigned ended;
static int (*real_close)(int);
static int (*real_dup2)(int, int);
static int (*real_close_range)(unsigned, unsigned, int);
static void (*real_closefrom)(int);
static int (*real_fstat_of)(int, struct stat *);

static void see_end(unsigned first, unsigned last)
{
	struct stat status;
	int kept = errno;
	for (unsigned fd = first; fd <= last && fd < 1024; fd++)
		ended += !real_fstat_of((int)fd, &status);
	errno = kept;
}

int close(int fd)
{
	see_end((unsigned)fd, (unsigned)fd);
	return real_close(fd);
}

int dup2(int from, int to)
{
	struct stat status;
	int kept = errno;
	if (from != to && !real_fstat_of(from, &status))
		see_end((unsigned)to, (unsigned)to);
	errno = kept;
	return real_dup2(from, to);
}

int close_range(unsigned first, unsigned last, int flags)
{
	if (!flags)
		see_end(first, last);
	return real_close_range(first, last, flags);
}

void closefrom(int first)
{
	see_end(first < 0 ? 0 : (unsigned)first, 1023);
	real_closefrom(first);
}

static long (*real_syscall)(long, long, long, long, long, long, long);
long syscall(long number, ...) __asm__("syscall");
long own_syscall(long number, long a, long b, long c, long d, long e, long f) __asm__("syscall");
long own_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	/* as in close_range: pieces are as good as the whole */
	if (number == SYS_close_range && !c)
		see_end((unsigned)a, (unsigned)b);
	else
		counts[COUNT_syscall]++;
	switch (number) {
	case SYS_getpid:
	case SYS_close:
	case SYS_socket:
	case SYS_connect:
	case SYS_shutdown:
	case SYS_dup:
	case SYS_dup3:
	case SYS_close_range:
	case SYS_accept4:
	case SYS_exit_group:
		return real_syscall(number, a, b, c, d, e, f);
	default:
		errno = ENOSYS;
		return -1;
	}
}

static __attribute__((constructor)) void find(void)
{
	void *found;
#define FIND(name) found = dlsym(RTLD_NEXT, #name), memcpy(&real_##name, &found, sizeof found)
#define HOOK(returns, name, parameters, arguments) FIND(name);
	HOOKS
#undef HOOK
	FIND(close), FIND(dup2), FIND(close_range), FIND(closefrom), FIND(syscall);
	found = dlsym(RTLD_NEXT, "fstat"), memcpy(&real_fstat_of, &found, sizeof found);
}

static __attribute__((destructor)) void tell(void)
{
	char line[2048];
	int n = snprintf(line, sizeof line, "beside: %u descriptors ended;", ended);
	for (int i = 0; i < COUNTS; i++)
		if (counts[i])
			n += snprintf(line + n, sizeof line - (size_t)n, " %s %u", names[i], counts[i]);
	line[n++] = '\n';
	(void)!real_write(1, line, (size_t)n);
}

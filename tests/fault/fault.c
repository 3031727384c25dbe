/*
 * Which of the library's own calls fail: the environment says.
 *
 *   FAULT_AT=N       the Nth, counted by process (a forked child counts on)
 *   FAULT_ON=1       and all after it
 *   FAULT_ONLY=NAME  only calls of this name are counted
 *   FAULT_ERROR=N    the errno
 *   FAULT_NOTE=PATH  a file for struct note
 *
 * Read by system calls: the constructor comes before libc has an environ.
 */
#include "fault.h"
#include "note.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static struct note *note;
static char only[32];
static uint32_t chosen;
static int error;
static bool on;
static _Atomic uint32_t count;

static void read_one(const char *variable)
{
	if (!strncmp(variable, "FAULT_AT=", 9))
		chosen = (uint32_t)strtoul(variable + 9, NULL, 10);
	else if (!strncmp(variable, "FAULT_ON=", 9))
		on = variable[9] == '1';
	else if (!strncmp(variable, "FAULT_ERROR=", 12))
		error = atoi(variable + 12);
	else if (!strncmp(variable, "FAULT_ONLY=", 11))
		strncpy(only, variable + 11, sizeof only - 1);
	else if (!strncmp(variable, "FAULT_NOTE=", 11)) {
		long fd = hc_libc.syscall(SYS_open, (long)(variable + 11), O_RDWR, 0, 0, 0, 0);
		long space = fd < 0 ? -1
		                    : hc_libc.syscall(SYS_mmap, 0, sizeof *note, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (space != -1)
			note = (void *)space;
		if (fd >= 0)
			hc_libc.syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	}
}

static __attribute__((constructor(101))) void read_environment(void)
{
	static char space[32768];
	static bool done;
	if (done)
		return;
	done = true;
	hc_libc_need();
	int kept = errno;
	long fd = hc_libc.syscall(SYS_open, (long)"/proc/self/environ", O_RDONLY, 0, 0, 0, 0);
	long size = 0;
	for (long n; size < (long)sizeof space - 1; size += n)
		if ((n = hc_libc.syscall(SYS_read, fd, (long)(space + size), (long)sizeof space - 1 - size, 0, 0, 0)) <= 0)
			break;
	hc_libc.syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	for (char *variable = space; variable < space + size; variable += strlen(variable) + 1)
		read_one(variable);
	errno = kept;
}

int hc_fault(const char *name)
{
	if (!note || !error || (*only && strcmp(only, name)))
		return 0;
	uint32_t n = atomic_fetch_add(&count, 1) + 1;
	uint32_t most = __atomic_load_n(&note->calls, __ATOMIC_RELAXED);
	while (n > most && !__atomic_compare_exchange_n(&note->calls, &most, n, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (!chosen || n < chosen || (n > chosen && !on))
		return 0;
	__atomic_fetch_add(&note->fired, 1, __ATOMIC_RELAXED);
	strncpy(note->name, name, sizeof note->name - 1);
	return error;
}

int hc_fault_number(long number, long a)
{
	/* the first is done for the host, in its name; to put back a mask that it
	 * gave out the kernel does not refuse, and a process's own number only
	 * where a filter refuses it always */
	if ((number == SYS_close_range && a != -1) || (number == SYS_rt_sigprocmask && a == SIG_SETMASK) ||
	    (number == SYS_getpid && !*only))
		return 0;
	switch (number) {
#define OWN(name) \
	case SYS_##name: \
		return hc_fault(#name);
#define LIBC(returns, name, parameters, arguments, failed)
#define LIBC_ERROR(name, parameters, arguments)
#include "calls.def"
	default:
		return hc_fault("another");
	}
}

#define OWN(name)
#define LIBC(returns, name, parameters, arguments, failed) \
	returns __real_##name parameters; \
	returns __wrap_##name parameters; \
	returns __wrap_##name parameters \
	{ \
		int fault = hc_fault(#name); \
		if (fault) \
			errno = fault; \
		return fault ? failed : __real_##name arguments; \
	}
#define LIBC_ERROR(name, parameters, arguments) \
	int __real_##name parameters; \
	int __wrap_##name parameters; \
	int __wrap_##name parameters \
	{ \
		int fault = hc_fault(#name); \
		return fault ? fault : __real_##name arguments; \
	}
#include "calls.def"

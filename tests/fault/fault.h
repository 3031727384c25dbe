/*
 * Read before each file of the library when the faulty build is made: its own
 * questions (hc_sys) come by hc_fault(), which refuses the chosen ones. What it
 * asks through libc is caught by the linker, --wrap (fault.c).
 */
#ifndef FAULT_H
#define FAULT_H

#define hc_sys hc_sys_made
#define hc_sys6 hc_sys6_made
#define hc_getsockopt hc_getsockopt_made
#include "../../preload/libc.h"
#undef hc_sys
#undef hc_sys6
#undef hc_getsockopt

/* The error with which the call that is about to be made fails; 0: it is made. */
int hc_fault(const char *name);

/* hc_fault() for the number of a system call. */
int hc_fault_number(long number, long a);

static inline long hc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
	int error = hc_fault_number(number, a);
	/* Linux frees the number whatever close says */
	if (error && number == SYS_close)
		hc_sys6_made(number, a, b, c, d, e, f);
	if (error)
		errno = error;
	return error ? -1 : hc_sys6_made(number, a, b, c, d, e, f);
}

static inline long hc_sys(long number, long a, long b, long c, long d, long e)
{
	return hc_sys6(number, a, b, c, d, e, 0);
}

static inline int hc_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	return (int)hc_sys(SYS_getsockopt, fd, level, name, (long)value, (long)size);
}

#endif

/*
 * System calls that are made past all that can lie between: libc's wrappers are
 * cancellation points, and other preloaded libraries have hooks, `syscall`
 * among them, that may not be ready when our constructor runs, or refuse what
 * they don't know. errno as libc has it.
 */
#ifndef HALFCLOSE_KERNEL_H
#define HALFCLOSE_KERNEL_H

#include <errno.h>
#include <sys/syscall.h>

#if defined __clang_analyzer__
/* it does not know what assembly writes */
#define HC_KERNEL 1
long hc_kernel(long number, long a, long b, long c, long d, long e, long f);
#elif defined __x86_64__ && defined __LP64__
#define HC_KERNEL 1
static inline long hc_kernel(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return result;
}
#elif defined __aarch64__ && defined __LP64__
#define HC_KERNEL 1
static inline long hc_kernel(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
	              x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#endif

#ifdef HC_KERNEL
static inline long hc_kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result = hc_kernel(number, a, b, c, d, e, f);
	if ((unsigned long)result <= -4096UL)
		return result;
	errno = (int)-result;
	return -1;
}
#endif

#endif

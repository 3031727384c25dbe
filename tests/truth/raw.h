/*
 * System calls that no preloaded library sees. The other end of what is tested
 * is made and ended by them, so that a recording holds the tested end alone.
 */
#ifndef RAW_H
#define RAW_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long raw6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long result __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(result)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
#else
#error "the raw system call of this machine is not known here"
#endif
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

#define RAW_PICK(a, b, c, d, e, f, g, ...) g
#define raw(number, ...) RAW_PICK(__VA_ARGS__, raw6_6, raw6_5, raw6_4, raw6_3, raw6_2, raw6_1)(number, __VA_ARGS__)
#define raw6_1(n, a) raw6(n, (long)(a), 0, 0, 0, 0, 0)
#define raw6_2(n, a, b) raw6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define raw6_3(n, a, b, c) raw6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define raw6_4(n, a, b, c, d) raw6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define raw6_5(n, a, b, c, d, e) raw6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define raw6_6(n, a, b, c, d, e, f) raw6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif

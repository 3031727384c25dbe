/*
 * The functions behind ours. Resolved once, before any thread can exist; read
 * by all afterwards and never changed.
 */
#ifndef HALFCLOSE_LIBC_H
#define HALFCLOSE_LIBC_H

#include "kernel.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

#define CALL(returns, name, parameters) typedef returns(*hc_call_##name) parameters;
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>

struct hc_libc {
#define CALL(returns, name, parameters) hc_call_##name name;
#define END(returns, name, parameters) CALL(returns, name, parameters)
/* An alias goes on to libc's function of that name: who calls it may be another
 * library's hook of the plain name, behind ours. */
#define ALIAS(name, of) hc_call_##of name;
#include <halfclose/calls.def>
};

/* No header of libc's declares these. */
#define CALL(returns, name, parameters)
#define END(returns, name, parameters)
#define ALIAS(name, of) __typeof__(*(hc_call_##of)NULL) name;
#include <halfclose/calls.def>

/* Nor do those of glibc before 2.39 these. */
__typeof__(*(hc_call_pidfd_spawn)NULL) pidfd_spawn, pidfd_spawnp;

extern struct hc_libc hc_libc;

/* Resolves all of hc_libc. The constructor calls it; a hook that runs even
 * earlier (an executable's DT_PREINIT_ARRAY) does so by hc_libc_need(). */
void hc_libc_resolve(void);

static inline void hc_libc_need(void)
{
	if (__builtin_expect(!__atomic_load_n(&hc_libc.close, __ATOMIC_ACQUIRE), 0))
		hc_libc_resolve();
}

/* What glibc alone has is weak: another C library (musl, in a program that a
 * traced one starts) would refuse to start its program otherwise. */
#pragma weak __libc_single_threaded
#pragma weak on_exit
#pragma weak fcloseall
#pragma weak strerrordesc_np
int pidfd_getpid(int fd) __attribute__((weak));
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
    __attribute__((weak));
int __cxa_at_quick_exit(void (*function)(void *), void *library) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

/* Is it glibc that we live with? If not, the library's constructor has no
 * arguments, and all that it may do is stand aside. */
bool hc_libc_is_known(void);

/* What is exported: a definition of one row of calls.def. */
#define HC_HOOK __attribute__((visibility("default")))
/* For a row that libc's headers declare with "...": the same symbol under a name
 * of ours in C, so that the two declarations don't meet. */
#define HC_SYMBOL(symbol) __asm__(#symbol)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Our own questions go past libc's wrappers: they are no cancellation points,
 * and no other preloaded library sees them. errno is the caller's to keep. */
static inline long hc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
#ifdef HC_KERNEL
	return hc_kernel_call(number, a, b, c, d, e, f);
#else
	return hc_libc.syscall(number, a, b, c, d, e, f);
#endif
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

#include "libc.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>

struct hc_libc hc_libc;

/* Not asked for in vain: dlsym() makes its complaint with malloc(), and the first
 * call of a malloc() of the program's own may be what brought us here. What glibc
 * 2.39 added has come with pidfd_getpid(). */
static void *next(const char *name)
{
	if (!pidfd_getpid && (!strcmp(name, "pidfd_spawn") || !strcmp(name, "pidfd_spawnp")))
		return NULL;
	return dlsym(RTLD_NEXT, name);
}

/* `close`, by which hc_libc_need() goes, comes last: a signal handler or a thread
 * that comes in between must not find half of them. */
void hc_libc_resolve(void)
{
	int kept = errno;
	struct hc_libc all;
	void *found;
#define CALL(returns, name, parameters) \
	found = next(#name); \
	__builtin_memcpy(&all.name, &found, sizeof found);
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>
	/* which not every libc has */
#define CALL(returns, name, parameters)
#define END(returns, name, parameters)
#define ALIAS(name, of) \
	found = next(#name); \
	if (found) \
		__builtin_memcpy(&all.name, &found, sizeof found); \
	else \
		all.name = all.of;
#include <halfclose/calls.def>
#define CALL(returns, name, parameters) \
	if (__builtin_strcmp(#name, "close")) \
		__atomic_store_n(&hc_libc.name, all.name, __ATOMIC_RELAXED);
#define END(returns, name, parameters) CALL(returns, name, parameters)
#define ALIAS(name, of) CALL(, name, )
#include <halfclose/calls.def>
	__atomic_store_n(&hc_libc.close, all.close, __ATOMIC_RELEASE);
	errno = kept;
}

bool hc_libc_is_known(void)
{
	return __register_atfork && __cxa_at_quick_exit && on_exit && strerrordesc_np && &__libc_single_threaded;
}

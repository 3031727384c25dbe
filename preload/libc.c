#include "libc.h"

#include <dlfcn.h>

struct hc_libc hc_libc;

void hc_libc_resolve(void)
{
	int kept = errno;
	void *found;
#define CALL(returns, name, parameters) \
	found = dlsym(RTLD_NEXT, #name); \
	__builtin_memcpy(&hc_libc.name, &found, sizeof found);
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>
	errno = kept;
}

#include "process.h"

struct hc_host hc_self;
__thread uint64_t hc_told;

static __thread uint32_t cached_tid __attribute__((tls_model("initial-exec")));

uint32_t hc_tid(void)
{
	if (!cached_tid && !atomic_load(&hc_self.sandboxed)) {
		int kept = errno;
		cached_tid = (uint32_t)hc_sys(SYS_gettid, 0, 0, 0, 0, 0);
		errno = kept;
	}
	return cached_tid ? cached_tid : UINT32_MAX;
}

void hc_tid_forget(void)
{
	cached_tid = 0;
}

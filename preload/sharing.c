#include "sharing.h"
#include "holders.h"
#include "inherit.h"
#include "probe.h"
#include "waiting.h"

bool hc_went_outside(int fd, const struct hc_fd *entry, uint32_t word)
{
	if (word & HC_FD_OUTSIDE)
		return true;
	/* epochs are compared by their distance: they may wrap */
	if ((int32_t)(atomic_load(&hc_self.spawned) - entry->epoch) <= 0)
		return false;
	return !hc_probe_close_on_exec(fd);
}

bool hc_is_only(int fd)
{
	struct hc_fd entry;
	if (!hc_fd_read(fd, &entry) || hc_is_guest() || atomic_load(&hc_self.sandboxed))
		return false;
	uint32_t word = atomic_load_explicit(&entry.word, memory_order_relaxed);
	return !hc_possibly_shared(&entry, word) ||
	       (!(word & HC_FD_COPIED) && hc_holders_others(entry.sock) == HC_HOLDING_none &&
	        !hc_went_outside(fd, &entry, word) && !atomic_load(&hc_self.forking));
}

/* As inetd does it: who forked for this socket is about to close its own, and may
 * do so before or after our exec. Such an exec waits for it a little, since nobody
 * could tell the next program; hardly at all for one that sleeps, as it does when
 * it waits for us. */
static void await_parent(const struct hc_fd *entry)
{
	enum { BRIEFLY = 2, PATIENTLY = 100 };
	const struct timespec nap = { .tv_nsec = 200000 };
	long parent = hc_sys(SYS_getppid, 0, 0, 0, 0, 0);
	for (int i = 0; i < PATIENTLY && hc_holders_others(entry->sock) == HC_HOLDING_family; i++) {
		if (i >= BRIEFLY && !hc_runs(parent))
			return;
		hc_sys(SYS_nanosleep, (long)&nap, 0, 0, 0, 0);
	}
}

bool hc_only_after_exec(struct hc_text *tail)
{
	int kept = errno;
	tail->used = 0;
	if (!hc_self.on || hc_is_guest() || atomic_load(&hc_self.sandboxed) || atomic_load(&hc_self.forking))
		return false;
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1)) {
		uint32_t word = hc_fd_word(fd);
		struct hc_fd entry;
		if (!(word & HC_FD_TCP) || word & HC_FD_LISTENER || hc_probe_close_on_exec(fd) ||
		    !hc_fd_read(fd, &entry))
			continue;
		if (fd == STDIN_FILENO && hc_possibly_shared(&entry, word))
			await_parent(&entry);
		/* its other descriptors here go along: what counts is who else holds it */
		if (!hc_possibly_shared(&entry, word) ||
		    (hc_holders_others(entry.sock) == HC_HOLDING_none && !hc_went_outside(fd, &entry, word)))
			hc_inherit_add(tail, hc_probe_cookie(fd));
	}
	errno = kept;
	return tail->used;
}

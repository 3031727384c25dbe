#include "polls.h"
#include "fdtab.h"
#include "holders.h"
#include "probe.h"

#include <sys/epoll.h>

enum { SETS = 1024 };

/* Numbers of epoll sets, as seen; one that has ended since is found out when it
 * is used. Beyond SETS: a set whose number is not noted may hold any socket. */
static _Atomic int sets[SETS]; /* number + 1; 0: free */
static _Atomic unsigned used;
static _Atomic bool unknown;

static bool is_noted(int epoll)
{
	unsigned n = atomic_load_explicit(&used, memory_order_acquire);
	for (unsigned i = 0; i < n; i++)
		if (atomic_load_explicit(&sets[i], memory_order_relaxed) == epoll + 1)
			return true;
	return false;
}

static void note_set(int epoll)
{
	if (likely(is_noted(epoll)))
		return;
	for (unsigned i = 0; i < SETS; i++) {
		int none = 0;
		if (!atomic_compare_exchange_strong(&sets[i], &none, epoll + 1))
			continue;
		unsigned n = atomic_load(&used);
		while (n <= i && !atomic_compare_exchange_weak(&used, &n, i + 1))
			;
		return;
	}
	atomic_store(&unknown, true);
}

void hc_polls_born(int epoll)
{
	note_set(epoll);
}

void hc_polls_copied(int from, int to)
{
	if (is_noted(from))
		note_set(to);
}

static void came_in(int fd)
{
	/* in this order: who takes it out of one set meanwhile must not hide the other */
	if (hc_fd_mark(fd, HC_FD_POLLED) & HC_FD_POLLED)
		hc_fd_mark(fd, HC_FD_POLLED | HC_FD_POLLED_MORE);
}

static void went_out(struct hc_fd *entry)
{
	uint32_t word = atomic_load(&entry->word);
	while (word & HC_FD_POLLED && !(word & HC_FD_POLLED_MORE) &&
	       !atomic_compare_exchange_weak(&entry->word, &word, word & ~(uint32_t)HC_FD_POLLED))
		;
}

void hc_polls_note(int epoll, int operation, int fd)
{
	struct hc_fd *entry = hc_fd(fd);
	note_set(epoll);
	if (!entry || !hc_fd_word(fd))
		return;
	if (operation == EPOLL_CTL_ADD)
		came_in(fd);
	else if (operation == EPOLL_CTL_DEL)
		went_out(entry);
}

static bool leave(int epoll, int fd)
{
	struct epoll_event nothing = { 0 };
	/* fd is open: where it is not that fd is not in it, the set is none, or no more */
	return !hc_sys(SYS_epoll_ctl, epoll, EPOLL_CTL_DEL, fd, (long)&nothing, 0) ||
	       (errno != EINVAL && errno != EBADF);
}

void hc_polls_leave(int fd)
{
	int kept = errno;
	unsigned n = atomic_load_explicit(&used, memory_order_acquire);
	for (unsigned i = 0; i < n; i++) {
		int set = atomic_load_explicit(&sets[i], memory_order_relaxed);
		if (!set || leave(set - 1, fd))
			continue;
		/* one that was made meanwhile, and found its number noted, must stay so */
		if (atomic_compare_exchange_strong(&sets[i], &set, 0) && leave(set - 1, fd))
			note_set(set - 1);
	}
	errno = kept;
}

bool hc_polls_outlive_exec(void)
{
	unsigned n = atomic_load_explicit(&used, memory_order_acquire);
	for (unsigned i = 0; i < n; i++) {
		int set = atomic_load_explicit(&sets[i], memory_order_relaxed);
		if (set && !hc_probe_close_on_exec(set - 1))
			return true;
	}
	return atomic_load(&unknown);
}

void hc_polls_stray(uint64_t sock)
{
	hc_holders_mark_stray(sock);
}

bool hc_polls_is_stray(uint64_t sock)
{
	return atomic_load(&unknown) || hc_holders_is_stray(sock);
}

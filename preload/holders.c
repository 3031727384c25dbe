#include "holders.h"
#include "family.h"
#include "fdtab.h"

#include <fcntl.h>
#include <sys/mman.h>

enum {
	HOLDINGS = 1 << 16, /* (socket, process) pairs */
	WINDOW = 256,       /* how far from its hash a pair may lie */
	UNCOUNTED = 1 << 16,
};

/* The owner of a slot that is being filled. */
#define FILLING UINT64_MAX

/* owner: 0 free, else as in family.h; stored last, so that who matches it reads a
 * pair that is whole. */
struct holding {
	_Atomic uint64_t owner;
	_Atomic uint64_t sock;
	_Atomic int32_t count;
	_Atomic bool given_away;
};

struct shared {
	struct hc_family family;
	/* sockets that found no room, a bit for each and for those that share it */
	_Atomic uint64_t uncounted[UNCOUNTED / 64];
	/* likewise, those that are in an epoll set under a number that has ended */
	_Atomic uint64_t stray[UNCOUNTED / 64];
	struct holding holdings[HOLDINGS];
};

static struct shared *shared;
static _Atomic bool counting; /* this process or one before it made a holding */

bool hc_holders_init(void)
{
	void *space =
	    mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		return false;
	shared = space;
	hc_family_init(&shared->family);
	return true;
}

static size_t first_slot(uint64_t sock)
{
	return (size_t)((sock * 0x9e3779b97f4a7c15u) >> 44) & (HOLDINGS - 1);
}

static struct holding *slot(uint64_t sock, unsigned i)
{
	return &shared->holdings[(first_slot(sock) + i) & (HOLDINGS - 1)];
}

/* Is a slot, whose owner was `owner` a moment ago, a pair of that socket? It may
 * have become another pair since, and be half of both. */
static bool is_pair(const struct holding *h, uint64_t sock, uint64_t owner)
{
	return atomic_load(&h->sock) == sock && atomic_load(&h->owner) == owner;
}

static struct holding *find(uint64_t sock, uint64_t owner)
{
	for (unsigned i = 0; i < WINDOW; i++) {
		struct holding *h = slot(sock, i);
		uint64_t is = atomic_load(&h->owner);
		if (!is)
			return NULL;
		if (is == owner && is_pair(h, sock, owner))
			return h;
	}
	return NULL;
}

static void set_bit(_Atomic uint64_t *bits, uint64_t sock)
{
	size_t i = (size_t)((sock * 0x9e3779b97f4a7c15u) >> 48) & (UNCOUNTED - 1);
	atomic_fetch_or(&bits[i / 64], UINT64_C(1) << i % 64);
}

static bool has_bit(const _Atomic uint64_t *bits, uint64_t sock)
{
	size_t i = (size_t)((sock * 0x9e3779b97f4a7c15u) >> 48) & (UNCOUNTED - 1);
	return atomic_load(&bits[i / 64]) & UINT64_C(1) << i % 64;
}

void hc_holders_mark_stray(uint64_t sock)
{
	if (shared)
		set_bit(shared->stray, sock);
}

bool hc_holders_is_stray(uint64_t sock)
{
	return !shared || has_bit(shared->stray, sock);
}

/* Of two threads that insert a pair at the same moment neither finds the other's.
 * What a later slot counts goes to the first, taken by one exchange, so that it
 * goes once; each counts the socket's first descriptor, which there is once. */
static void join_twins(uint64_t sock, uint64_t owner)
{
	struct holding *first = NULL;
	for (unsigned i = 0; i < WINDOW; i++) {
		struct holding *h = slot(sock, i);
		uint64_t is = atomic_load(&h->owner);
		if (!is)
			return;
		if (is != owner || !is_pair(h, sock, owner))
			continue;
		int32_t count = first ? atomic_exchange(&h->count, 0) : 0;
		if (count > 1)
			atomic_fetch_add(&first->count, count - 1);
		if (!first)
			first = h;
	}
}

/* A free slot, or one whose owner is void, becomes (sock, owner, count). Slots
 * never become free again, so that find() may stop at the first free one. */
static void insert(uint64_t sock, uint64_t owner, int32_t count)
{
	atomic_store_explicit(&counting, true, memory_order_relaxed);
	for (unsigned i = 0; i < WINDOW; i++) {
		struct holding *h = slot(sock, i);
		uint64_t is = atomic_load(&h->owner);
		if (is == FILLING || (is && !hc_family_is_void(is) && atomic_load(&h->count) > 0))
			continue;
		if (!atomic_compare_exchange_strong(&h->owner, &is, FILLING))
			continue;
		/* another thread of ours may have filled it meanwhile, with the same owner */
		if (is && !hc_family_is_void(is) && atomic_load(&h->count) > 0) {
			atomic_store(&h->owner, is);
			continue;
		}
		atomic_store(&h->sock, sock);
		atomic_store(&h->count, count);
		atomic_store(&h->given_away, false);
		atomic_store(&h->owner, owner);
		join_twins(sock, owner);
		return;
	}
	set_bit(shared->uncounted, sock);
}

void hc_holders_copy(uint64_t sock)
{
	if (!hc_family_own)
		return;
	struct holding *h = find(sock, hc_family_own);
	if (h)
		atomic_fetch_add(&h->count, 1);
	else
		insert(sock, hc_family_own, 2);
}

static enum hc_holding others(uint64_t sock)
{
	struct holding *mine = find(sock, hc_family_own);
	enum hc_holding left = mine && atomic_load(&mine->given_away) ? HC_HOLDING_doubt : HC_HOLDING_none;
	for (unsigned i = 0; i < WINDOW; i++) {
		struct holding *h = slot(sock, i);
		uint64_t is = atomic_load(&h->owner);
		if (!is)
			break;
		if (is == FILLING || is == hc_family_own || !is_pair(h, sock, is) || atomic_load(&h->count) <= 0)
			continue;
		if (hc_family_is_void(is) || hc_family_is_dead(is))
			continue;
		if (!hc_family_is_doubtful(is))
			return HC_HOLDING_family;
		left = HC_HOLDING_doubt;
	}
	return has_bit(shared->uncounted, sock) ? HC_HOLDING_doubt : left;
}

bool hc_holders_counts(uint64_t sock)
{
	return hc_family_own && find(sock, hc_family_own);
}

enum hc_holding hc_holders_others(uint64_t sock)
{
	return hc_family_own ? others(sock) : HC_HOLDING_doubt;
}

enum hc_holding hc_holders_release(uint64_t sock)
{
	if (!hc_family_own)
		return HC_HOLDING_doubt;
	/* ours goes before the others are looked at: of two that close at once
	 * at least one finds nobody left */
	struct holding *h = find(sock, hc_family_own);
	if (h && atomic_fetch_sub(&h->count, 1) > 1)
		return HC_HOLDING_self;
	return others(sock);
}

void hc_holders_undo(uint64_t sock)
{
	struct holding *h = hc_family_own ? find(sock, hc_family_own) : NULL;
	if (h)
		atomic_fetch_add(&h->count, 1);
}

uint64_t hc_holders_fork(void)
{
	if (!hc_family_own)
		return 0;
	uint64_t mine = hc_family_own, childs = hc_family_take();
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1)) {
		uint64_t sock = hc_fd(fd)->sock;
		if (!childs) {
			set_bit(shared->uncounted, sock);
			continue;
		}
		struct holding *h = find(sock, childs);
		if (h) {
			atomic_fetch_add(&h->count, 1);
			continue;
		}
		insert(sock, childs, 1);
		struct holding *ours = find(sock, mine);
		if (!ours)
			insert(sock, mine, 1);
		else if (atomic_load(&ours->given_away) && (h = find(sock, childs)))
			atomic_store(&h->given_away, true);
	}
	return childs;
}

void hc_holders_pass(uint64_t sock)
{
	if (!hc_family_own || !find(sock, hc_family_own))
		return;
	for (unsigned i = 0; i < WINDOW; i++) {
		struct holding *h = slot(sock, i);
		uint64_t is = atomic_load(&h->owner);
		if (!is)
			return;
		if (is != FILLING && atomic_load(&h->sock) == sock)
			atomic_store(&h->given_away, true);
	}
}

static bool ends_with_exec(int fd)
{
	int kept = errno;
	long flags = atomic_load(&hc_self.sandboxed) ? -1 : hc_sys(SYS_fcntl, fd, F_GETFD, 0, 0, 0);
	errno = kept;
	return flags != -1 && flags & FD_CLOEXEC;
}

void hc_holders_spawn(void)
{
	hc_note_spawn();
	if (!hc_family_own || !atomic_load_explicit(&counting, memory_order_relaxed))
		return;
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1))
		if (find(hc_fd(fd)->sock, hc_family_own) && !ends_with_exec(fd))
			hc_holders_pass(hc_fd(fd)->sock);
}

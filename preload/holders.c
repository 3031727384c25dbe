#include "holders.h"
#include "fdtab.h"
#include "text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
	PLACES = 8192,      /* live processes of a family */
	HOLDINGS = 1 << 16, /* (socket, process) pairs */
	WINDOW = 256,       /* how far from its hash a pair may lie */
	UNCOUNTED = 1 << 16,
};

/* The owner of a slot that is being filled. */
#define FILLING UINT64_MAX

/* A process. The generation tells apart those that had the place one after the
 * other, so that what a dead one held is void without being swept. */
struct place {
	_Atomic int32_t pid; /* 0: free; < 0: taken, its pid not known yet */
	_Atomic uint32_t generation;
	_Atomic uint32_t namespace; /* which of the family's PID namespaces pid is of */
	_Atomic bool executed;
};

/* owner: 0 free, else generation << 16 | place; stored last, so that who matches
 * it reads a pair that is whole. */
struct holding {
	_Atomic uint64_t owner;
	_Atomic uint64_t sock;
	_Atomic int32_t count;
	_Atomic bool given_away;
};

struct family {
	struct place places[PLACES];
	_Atomic uint32_t namespaces;
	/* sockets that found no room, a bit for each and for those that share it */
	_Atomic uint64_t uncounted[UNCOUNTED / 64];
	/* likewise, those that are in an epoll set under a number that has ended */
	_Atomic uint64_t stray[UNCOUNTED / 64];
	struct holding holdings[HOLDINGS];
};

static struct family *family;
static unsigned own;
static _Atomic bool counting; /* this process or one before it made a holding */

/* Of the place that this thread's fork took. */
static __thread uint32_t child_generation __attribute__((tls_model("initial-exec")));

/* Who was alive a moment ago, within one walk over all descriptors. */
static __thread uint64_t known_alive __attribute__((tls_model("initial-exec")));

static uint64_t owner_of(unsigned place)
{
	return (uint64_t)atomic_load(&family->places[place].generation) << 16 | place;
}

static bool is_void(uint64_t owner)
{
	struct place *place = &family->places[owner & 0xffff];
	int32_t pid = atomic_load(&place->pid);
	return !pid || (uint32_t)(owner >> 16) != (atomic_load(&place->generation));
}

/* A process of another PID namespace: its pid means nothing here. */
static bool is_foreign(uint64_t owner)
{
	return atomic_load(&family->places[owner & 0xffff].namespace) != atomic_load(&family->places[own].namespace);
}

/* One that has ended, and whose parent has not waited for it, still has its pid
 * but no program; as has one whose first thread has ended before the others. */
static bool is_zombie(int32_t pid)
{
	struct hc_text path = { 0 };
	struct stat threads;
	char target[8];

	hc_put(&path, "/proc/");
	hc_put_number(&path, (uint64_t)pid);
	size_t directory = path.used;
	hc_put(&path, "/exe");
	if (hc_sys(SYS_readlinkat, AT_FDCWD, (long)path.bytes, (long)target, sizeof target, 0) >= 0 || errno != ENOENT)
		return false;
	path.used = directory;
	hc_put(&path, "/task");
	return !hc_sys(SYS_newfstatat, AT_FDCWD, (long)path.bytes, (long)&threads, 0, 0) && threads.st_nlink == 3;
}

static bool is_dead(uint64_t owner)
{
	struct place *place = &family->places[owner & 0xffff];
	int32_t pid = atomic_load(&place->pid);
	if (pid <= 0 || (owner & 0xffff) == own || owner == known_alive || atomic_load(&hc_self.sandboxed))
		return false;
	if (is_foreign(owner))
		return false;
	int kept = errno;
	siginfo_t child = { 0 };
	bool dead = hc_sys(SYS_kill, pid, 0, 0, 0, 0) == -1 && errno == ESRCH;
	/* what nobody has waited for holds nothing any more; our own children can be
	 * told where there is no /proc */
	if (!dead && !hc_sys(SYS_waitid, P_PID, pid, (long)&child, WEXITED | WNOHANG | WNOWAIT, 0))
		dead = child.si_pid == pid;
	dead = dead || is_zombie(pid);
	errno = kept;
	if (dead)
		atomic_compare_exchange_strong(&place->pid, &pid, 0);
	else if (known_alive)
		known_alive = owner;
	return dead;
}

/* Stands for a pid that is not known yet, of this owner of the place alone: the
 * last one's may be told late, when it has ended and the place is another's. */
static int32_t unknown_pid(uint32_t generation)
{
	return -2 - (int32_t)(generation & 0x3fffffff);
}

static unsigned take_free_place(int32_t pid)
{
	for (unsigned i = 1; i < PLACES; i++) {
		int32_t none = 0;
		struct place *place = &family->places[i];
		if (atomic_load_explicit(&place->pid, memory_order_relaxed))
			continue;
		if (!atomic_compare_exchange_strong(&place->pid, &none, -1))
			continue;
		/* what its last owner held is void from here on */
		uint32_t generation = atomic_fetch_add(&place->generation, 1) + 1;
		atomic_store(&place->executed, false);
		atomic_store(&place->namespace, atomic_load(&family->places[own].namespace));
		atomic_store(&place->pid, pid > 0 ? pid : unknown_pid(generation));
		return i;
	}
	return 0;
}

/* Processes that were killed have not given their place back. */
static void free_dead_places(void)
{
	for (unsigned i = 1; i < PLACES; i++)
		is_dead(i);
}

static unsigned take_place(int32_t pid)
{
	unsigned place = take_free_place(pid);
	if (!place) {
		free_dead_places();
		place = take_free_place(pid);
	}
	return place;
}

bool hc_holders_init(void)
{
	void *space =
	    mmap(NULL, sizeof *family, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		return false;
	family = space;
	own = take_place(hc_self.pid);
	return true;
}

static size_t first_slot(uint64_t sock)
{
	return (size_t)((sock * 0x9e3779b97f4a7c15u) >> 44) & (HOLDINGS - 1);
}

static struct holding *slot(uint64_t sock, unsigned i)
{
	return &family->holdings[(first_slot(sock) + i) & (HOLDINGS - 1)];
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
	if (family)
		set_bit(family->stray, sock);
}

bool hc_holders_is_stray(uint64_t sock)
{
	return !family || has_bit(family->stray, sock);
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
		if (is == FILLING || (is && !is_void(is) && atomic_load(&h->count) > 0))
			continue;
		if (!atomic_compare_exchange_strong(&h->owner, &is, FILLING))
			continue;
		/* another thread of ours may have filled it meanwhile, with the same owner */
		if (is && !is_void(is) && atomic_load(&h->count) > 0) {
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
	set_bit(family->uncounted, sock);
}

void hc_holders_copy(uint64_t sock)
{
	if (!family || !own)
		return;
	uint64_t owner = owner_of(own);
	struct holding *h = find(sock, owner);
	if (h)
		atomic_fetch_add(&h->count, 1);
	else
		insert(sock, owner, 2);
}

static enum hc_holding others(uint64_t sock)
{
	struct holding *mine = find(sock, owner_of(own));
	enum hc_holding left = mine && atomic_load(&mine->given_away) ? HC_HOLDING_doubt : HC_HOLDING_none;
	for (unsigned i = 0; i < WINDOW; i++) {
		struct holding *h = slot(sock, i);
		uint64_t is = atomic_load(&h->owner);
		if (!is)
			break;
		if (is == FILLING || (is & 0xffff) == own || !is_pair(h, sock, is) ||
		    atomic_load(&h->count) <= 0)
			continue;
		if (is_void(is) || is_dead(is))
			continue;
		if (!atomic_load(&family->places[is & 0xffff].executed) && !is_foreign(is))
			return HC_HOLDING_family;
		left = HC_HOLDING_doubt;
	}
	return has_bit(family->uncounted, sock) ? HC_HOLDING_doubt : left;
}

bool hc_holders_counts(uint64_t sock)
{
	return family && own && find(sock, owner_of(own));
}

enum hc_holding hc_holders_others(uint64_t sock)
{
	return family && own ? others(sock) : HC_HOLDING_doubt;
}

enum hc_holding hc_holders_release(uint64_t sock)
{
	if (!family || !own)
		return HC_HOLDING_doubt;
	/* ours goes before the others are looked at: of two that close at once
	 * at least one finds nobody left */
	struct holding *h = find(sock, owner_of(own));
	if (h && atomic_fetch_sub(&h->count, 1) > 1)
		return HC_HOLDING_self;
	return others(sock);
}

void hc_holders_undo(uint64_t sock)
{
	struct holding *h = family && own ? find(sock, owner_of(own)) : NULL;
	if (h)
		atomic_fetch_add(&h->count, 1);
}

unsigned hc_holders_fork(void)
{
	if (!family || !own)
		return 0;
	unsigned place = take_place(-1);
	child_generation = atomic_load(&family->places[place].generation);
	uint64_t mine = owner_of(own), childs = owner_of(place);
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1)) {
		uint64_t sock = hc_fd(fd)->sock;
		if (!place) {
			set_bit(family->uncounted, sock);
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
	return place;
}

void hc_holders_forked(unsigned place, pid_t child)
{
	if (!place)
		return;
	int32_t unknown = unknown_pid(child_generation);
	atomic_compare_exchange_strong(&family->places[place].pid, &unknown, child < 0 ? 0 : child);
}

void hc_holders_child(unsigned place)
{
	if (!family)
		return;
	own = place;
	known_alive = 0;
	if (!place)
		return;
	/* a parent in another PID namespace has no pid here; before the child's own
	 * pid is told, it must be known of which namespace it is */
	if (!hc_sys(SYS_getppid, 0, 0, 0, 0, 0))
		atomic_store(&family->places[place].namespace, atomic_fetch_add(&family->namespaces, 1) + 1);
	atomic_store(&family->places[place].pid, hc_self.pid);
}

void hc_holders_pass(uint64_t sock)
{
	if (!family || !own || !find(sock, owner_of(own)))
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
	if (!family || !own || !atomic_load_explicit(&counting, memory_order_relaxed))
		return;
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1))
		if (find(hc_fd(fd)->sock, owner_of(own)) && !ends_with_exec(fd))
			hc_holders_pass(hc_fd(fd)->sock);
}

void hc_holders_exec(bool under_way)
{
	if (family && own)
		atomic_store(&family->places[own].executed, under_way);
}

void hc_holders_end(void)
{
	if (family && own)
		atomic_store(&family->places[own].pid, 0);
}

void hc_holders_walk(bool begin)
{
	/* no owner has place 0 */
	known_alive = begin ? UINT64_C(1) << 16 : 0;
}

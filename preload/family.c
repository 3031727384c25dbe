#include "family.h"
#include "text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PLACES = sizeof((struct hc_family){ 0 }.places) / sizeof(struct hc_family_place) };

uint64_t hc_family_own;
static struct hc_family *family;

/* Who was alive a moment ago, within one walk. */
static __thread uint64_t known_alive __attribute__((tls_model("initial-exec")));

static struct hc_family_place *place_of(uint64_t owner)
{
	return &family->places[owner & 0xffff];
}

bool hc_family_is_void(uint64_t owner)
{
	struct hc_family_place *place = place_of(owner);
	int32_t pid = atomic_load(&place->pid);
	return !pid || (uint32_t)(owner >> 16) != (atomic_load(&place->generation));
}

/* A process of another PID namespace: its pid means nothing here. */
static bool is_foreign(uint64_t owner)
{
	return atomic_load(&place_of(owner)->namespace) != atomic_load(&place_of(hc_family_own)->namespace);
}

bool hc_family_is_doubtful(uint64_t owner)
{
	return atomic_load(&place_of(owner)->executed) || is_foreign(owner);
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

bool hc_family_is_dead(uint64_t owner)
{
	struct hc_family_place *place = place_of(owner);
	int32_t pid = atomic_load(&place->pid);
	if (pid <= 0 || place == place_of(hc_family_own) || owner == known_alive || atomic_load(&hc_self.sandboxed))
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

void hc_family_walk(bool begin)
{
	/* no owner has place 0 */
	known_alive = begin ? UINT64_C(1) << 16 : 0;
}

/* Stands for a pid that is not known yet, of this owner of the place alone: the
 * last one's may be told late, when it has ended and the place is another's. */
static int32_t unknown_pid(uint64_t owner)
{
	return -2 - (int32_t)(owner >> 16 & 0x3fffffff);
}

static uint64_t take_free_place(int32_t pid)
{
	for (unsigned i = 1; i < PLACES; i++) {
		int32_t none = 0;
		struct hc_family_place *place = &family->places[i];
		if (atomic_load_explicit(&place->pid, memory_order_relaxed))
			continue;
		if (!atomic_compare_exchange_strong(&place->pid, &none, -1))
			continue;
		/* what its last owner held is void from here on */
		uint32_t generation = atomic_fetch_add(&place->generation, 1) + 1;
		uint64_t owner = (uint64_t)generation << 16 | i;
		atomic_store(&place->executed, false);
		atomic_store(&place->namespace, atomic_load(&place_of(hc_family_own)->namespace));
		atomic_store(&place->pid, pid > 0 ? pid : unknown_pid(owner));
		return owner;
	}
	return 0;
}

/* Processes that were killed have not given their place back. */
static void free_dead_places(void)
{
	for (unsigned i = 1; i < PLACES; i++)
		hc_family_is_dead(i);
}

static uint64_t take_place(int32_t pid)
{
	uint64_t owner = take_free_place(pid);
	if (!owner) {
		free_dead_places();
		owner = take_free_place(pid);
	}
	return owner;
}

void hc_family_init(struct hc_family *shared)
{
	family = shared;
	hc_family_own = take_place(hc_self.pid);
}

uint64_t hc_family_take(void)
{
	return take_place(-1);
}

void hc_family_forked(uint64_t childs, pid_t child)
{
	if (!childs)
		return;
	int32_t unknown = unknown_pid(childs);
	atomic_compare_exchange_strong(&place_of(childs)->pid, &unknown, child < 0 ? 0 : child);
}

void hc_family_child(uint64_t childs)
{
	hc_family_own = childs;
	known_alive = 0;
	if (!childs)
		return;
	/* a parent in another PID namespace has no pid here; before the child's own
	 * pid is told, it must be known of which namespace it is */
	if (!hc_sys(SYS_getppid, 0, 0, 0, 0, 0))
		atomic_store(&place_of(childs)->namespace, atomic_fetch_add(&family->namespaces, 1) + 1);
	atomic_store(&place_of(childs)->pid, hc_self.pid);
}

void hc_family_exec(bool under_way)
{
	if (hc_family_own)
		atomic_store(&place_of(hc_family_own)->executed, under_way);
}

void hc_family_end(void)
{
	if (hc_family_own)
		atomic_store(&place_of(hc_family_own)->pid, 0);
}

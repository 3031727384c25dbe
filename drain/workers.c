/*
 * More sockets than one process may have descriptors: a drain that is full leaves
 * all it holds to a worker, a child of its own that finishes them and ends, and
 * goes on with none. It stays who listens, under its own process number: for
 * programs, and for whoever waits for it or stops it, there is one drain.
 *
 * Child and parent have one table of descriptors until the parent parts with it
 * and takes along the few lowest alone. So no socket is ever in two tables, where
 * one could put off the end that the other makes.
 */
#include "drain.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Slots that a worker has left for what its connections may still bring. */
enum { SPARE = 16 };

/* After one that could not be: the oldest sockets are ended meanwhile. */
#define PAUSE UINT64_C(1000000000)

enum { WAITS, GOES, IS_NOT_WANTED };

struct worker {
	_Atomic uint32_t state; /* a futex */
	_Atomic uint32_t asked; /* how many it is to end, all told */
	_Atomic uint64_t told;  /* how many of them it has ended << 32 | how many slots it has */
};

/* Memory that all have in common; of one's own where there is none. */
static struct shared {
	_Atomic bool stop;
	struct worker workers[MOST_WORKERS];
} alone, *shared;

/* The drain's own, oldest first. */
static struct {
	pid_t pid;
	struct worker *worker;
} list[MOST_WORKERS];
static uint32_t running;

static struct worker *self; /* in a worker */
static uint32_t done;

static pid_t drain;
static int wake = -1, highest;
static uint32_t here; /* how many slots it fills */
static uint64_t in_all, not_before;

int workers_init(int listener, uint32_t slots, uint64_t most)
{
	drain = getpid();
	here = slots - (uint32_t)least(SPARE, slots / 4);
	in_all = most;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	highest = listener > wake ? listener : wake;
	/* where the kernel has no such call, or one of these failed, there are no workers */
	if (shared == MAP_FAILED || wake < 0 || syscall(SYS_close_range, UINT_MAX, UINT_MAX, CLOSE_RANGE_UNSHARE))
		not_before = UINT64_MAX;
	if (shared == MAP_FAILED)
		shared = &alone;
	return wake;
}

bool is_worker(void)
{
	return self;
}

bool worker_needed(void)
{
	return !self && slots_used() >= here && running < MOST_WORKERS && now() >= not_before;
}

static struct worker *free_place(void)
{
	for (uint32_t place = 0, i; place < MOST_WORKERS; place++) {
		for (i = 0; i < running && list[i].worker != &shared->workers[place]; i++)
			;
		if (i == running)
			return &shared->workers[place];
	}
	return NULL;
}

/* Touches nothing while the table of descriptors is the parent's as well. */
static void begin(struct worker *worker)
{
	const struct timespec a_while = { .tv_nsec = 100000000 };
	while (atomic_load(&worker->state) == WAITS && getppid() == drain)
		syscall(SYS_futex, &worker->state, FUTEX_WAIT, WAITS, &a_while, NULL, 0);
	if (atomic_load(&worker->state) == IS_NOT_WANTED)
		_exit(0);
}

static void be_worker(struct worker *worker, int epoll, int listener)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = NO_SLOT };
	begin(worker);
	self = worker;
	running = 0;
	epoll_ctl(epoll, EPOLL_CTL_DEL, listener, NULL);
	close(listener);
	epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event);
}

static bool part(struct worker *worker)
{
	bool parted = !syscall(SYS_close_range, highest + 1, UINT_MAX, CLOSE_RANGE_UNSHARE);
	atomic_store(&worker->state, parted ? GOES : IS_NOT_WANTED);
	syscall(SYS_futex, &worker->state, FUTEX_WAKE, 1, NULL, NULL, 0);
	return parted;
}

bool worker_add(int epoll, int listener)
{
	struct worker *worker = free_place();
	atomic_store(&worker->state, WAITS);
	atomic_store(&worker->asked, 0);
	atomic_store(&worker->told, slots_used());
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		be_worker(worker, epoll, listener);
		return false;
	}
	if (pid < 0 || !part(worker)) {
		not_before = now() + PAUSE;
		return false;
	}
	list[running].pid = (pid_t)pid;
	list[running++].worker = worker;
	slots_forget();
	log_forget();
	return true;
}

uint32_t workers_used(void)
{
	return running;
}

void workers_reap(void)
{
	for (pid_t pid; (pid = wait4(-1, NULL, WNOHANG, NULL)) > 0;) {
		uint32_t i = 0;
		while (i < running && list[i].pid != pid)
			i++;
		if (i < running)
			running--;
		for (; i < running; i++)
			list[i] = list[i + 1];
	}
}

static void wake_workers(void)
{
	const uint64_t once = 1;
	if (write(wake, &once, sizeof once) < 0)
		return; /* nobody reads it, and yet it takes 2^64 */
}

void workers_stop(void)
{
	atomic_store(&shared->stop, true);
	wake_workers();
}

bool worker_obey(void)
{
	for (uint32_t asked = atomic_load(&self->asked); done != asked; done++)
		if (slot_oldest())
			socket_end(slot_oldest(), HC_RESULT_limit);
	atomic_store(&self->told, (uint64_t)done << 32 | slots_used());
	return !atomic_load(&shared->stop);
}

/* Without those that it has been asked to end. */
static uint64_t held_by(struct worker *worker)
{
	uint64_t told = atomic_load(&worker->told), used = told & UINT32_MAX;
	uint32_t still = atomic_load(&worker->asked) - (uint32_t)(told >> 32);
	return used - least(used, still);
}

static uint64_t held_by_all(void)
{
	uint64_t held = slots_used();
	for (uint32_t i = 0; i < running; i++)
		held += held_by(list[i].worker);
	return held;
}

static void end_oldest(void)
{
	for (uint32_t i = 0; i < running; i++)
		if (held_by(list[i].worker)) {
			atomic_fetch_add(&list[i].worker->asked, 1);
			wake_workers();
			return;
		}
	socket_end(slot_oldest(), HC_RESULT_limit);
}

/* What a worker's connections still bring comes on top until the next socket here. */
void workers_keep_bound(void)
{
	while (!self && held_by_all() >= in_all)
		end_oldest();
}

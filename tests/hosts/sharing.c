/*
 * Descriptors that are shared, or part, in ways that libc knows nothing of.
 *
 *   sharing KIND
 *     files      a child with memory of its own and its parent's descriptors
 *     unshare    a thread that takes a copy of all descriptors, and ends its own
 *     range      the same by close_range
 *     namespace  children in a PID namespace of their own, whose first is 1
 *     ring       ends by io_uring
 */
#include "net.h"

#include <linux/close_range.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAIRS = 6 };

static struct meeting at;
static struct pair pairs[PAIRS];

static void open_pairs(void)
{
	for (int i = 0; i < PAIRS; i++)
		pairs[i] = unread(&at);
}

static void close_rest(void)
{
	for (int i = 0; i < PAIRS; i++)
		say("%d: close %d, ", i, close(pairs[i].mine));
	for (int i = 0; i < PAIRS; i++)
		say("%d: %s\n", i, other_end(pairs[i].peer));
}

static int child_with_our_files(void *unused)
{
	(void)unused;
	close(pairs[0].mine);
	dup2(1, pairs[1].mine);
	close(pairs[1].mine);
	close(socket(AF_INET, SOCK_STREAM, 0));
	return 3;
}

static void files(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	open_pairs();
	for (int round = 0; round < 2; round++) {
		pid_t child = clone(child_with_our_files, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
		say("%x\n", (unsigned)ended(child));
		/* the numbers have become others' */
		int file = open("/dev/null", O_RDWR);
		say("%d %d\n", file == pairs[0].mine, close(file));
		struct pair p = unread(&at);
		say("%d %d: ", p.mine == pairs[0].mine, close(p.mine));
		say("%s\n", other_end(p.peer));
	}
	close_rest();
}

static void *part(void *by_range)
{
	if (by_range)
		say("%d\n", close_range((unsigned)pairs[1].mine, (unsigned)pairs[2].mine, CLOSE_RANGE_UNSHARE));
	else
		say("%d\n", unshare(CLONE_FILES));
	/* ends of the copies, which send nothing */
	say("%d %d\n", close(pairs[0].mine), close(pairs[1].mine));
	struct pair p = unread(&at);
	say("%d\n", close(p.mine));
	say("%s\n", other_end(p.peer));
	say("%d\n", close(pairs[3].mine));
	return NULL;
}

static void parting(void *by_range)
{
	pthread_t thread;
	open_pairs();
	must(!pthread_create(&thread, NULL, part, by_range), "pthread_create");
	pthread_join(thread, NULL);
	for (int i = 0; i < PAIRS; i++)
		say("%d: %s\n", i, recv(pairs[i].peer, pairs, 1, MSG_DONTWAIT) < 0 ? strerrorname_np(errno) : "ended");
	close_rest();
}

static void unshared(void) { parting(NULL); }
static void range(void) { parting(&at); }

/* Half of the children close before the parent does, half after it. */
static void namespace(void)
{
	say("%d\n", unshare(CLONE_NEWPID));
	open_pairs();
	for (int i = 0; i < PAIRS - 1; i++) {
		int gate[2];
		char byte;
		must(!pipe2(gate, O_CLOEXEC), "pipe");
		pid_t child = fork();
		must(child >= 0 || i, "fork");
		if (child < 0) { /* the namespace ended with its first */
			say("%d: %s\n", i, strerrorname_np(errno));
			close(gate[0]), close(gate[1]);
			continue;
		}
		if (!child) {
			struct pair own = unread(&at);
			close(gate[1]);
			say("pid %d, parent %d\n", getpid(), getppid());
			close(own.mine);
			say("%s\n", other_end(own.peer));
			if (i % 2 == 0 && read(gate[0], &byte, 1))
				_exit(9);
			close(pairs[i].mine);
			_exit(i);
		}
		close(gate[0]);
		if (i % 2 == 0)
			close(pairs[i].mine);
		close(gate[1]);
		say("%x\n", (unsigned)ended(child));
	}
	close_rest();
}

/* io_uring, by hand */

struct ring {
	int fd;
	unsigned *tail, *mask, *array;
	struct io_uring_sqe *entries;
};

static bool make_ring(struct ring *ring)
{
	struct io_uring_params p = { 0 };
	ring->fd = (int)syscall(SYS_io_uring_setup, 8, &p);
	if (ring->fd < 0)
		return false;
	char *space = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, p.sq_entries * sizeof *ring->entries, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	must(space != MAP_FAILED && ring->entries != MAP_FAILED, "mmap");
	ring->tail = (unsigned *)(void *)(space + p.sq_off.tail);
	ring->mask = (unsigned *)(void *)(space + p.sq_off.ring_mask);
	ring->array = (unsigned *)(void *)(space + p.sq_off.array);
	return true;
}

static long submit(struct ring *ring, struct io_uring_sqe entry)
{
	unsigned at_tail = *ring->tail & *ring->mask;
	ring->entries[at_tail] = entry;
	ring->array[at_tail] = at_tail;
	__atomic_store_n(ring->tail, *ring->tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void rings(void)
{
	struct ring ring;
	open_pairs();
	if (!make_ring(&ring)) {
		say("no ring: %s\n", strerrorname_np(errno));
		close_rest();
		return;
	}
	for (int i = 0; i < 3; i++)
		say("%ld\n", submit(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = pairs[i].mine }));
	int file = open("/dev/null", O_RDWR);
	struct pair p = unread(&at);
	say("%d %d\n", file == pairs[0].mine, close(file));
	say("%d: ", close(p.mine));
	say("%s\n", other_end(p.peer));
	close(ring.fd);
	close_rest();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} kinds[] = {
		{ "files", files }, { "unshare", unshared }, { "range", range },
		{ "namespace", namespace }, { "ring", rings },
	};
	alarm(150);
	at = meeting(20, SOCK_CLOEXEC);
	for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(argv[1], kinds[i].name)) {
			kinds[i].run();
			return 0;
		}
	return 2;
}

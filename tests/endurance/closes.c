/*
 * Closes without end, in several processes that fork as they go. At the end a
 * process must have what it had after the first ten thousand.
 *
 *   closes COUNT [WORKERS]
 *
 * Says how many events of it a recording must have, written or lost.
 */
#include "endure.h"

#include <sys/mman.h>

enum { FIRST = 10000, FORKED = 20000 };

static struct shared {
	_Atomic unsigned long events, closes;
	_Atomic unsigned grown;
} *shared;

static unsigned long events, closes;

/* A connection that is reset, a socket that is never connected, two copies. */
static void go_round(const struct meeting *at)
{
	struct pair p = unread(at);
	must(!close(p.mine) && !close(p.peer), "close");
	int fd = socket(AF_INET, SOCK_STREAM, 0), copies[2];
	must(!close(fd), "close");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	copies[0] = dup(fd);
	copies[1] = fcntl(fd, F_DUPFD, 20);
	must(!close(copies[0]) && !close(fd) && !close(copies[1]), "close");
	closes += 6;
	events += 4 + 1 + 3; /* connect, accept, and the closes */
}

/* A child that has what its parent has, closes some and ends with the rest. */
static void fork_once(const struct meeting *at)
{
	struct pair p = unread(at);
	pid_t child = fork();
	must(child >= 0, "fork");
	if (!child) {
		close(p.mine);
		_exit(3);
	}
	must(ended(child) == 0x300, "child");
	must(!close(p.mine) && !close(p.peer), "close");
	closes += 5;
	/* connect, accept, two closes; the child: its begin, a close, its exit */
	events += 4 + 3;
}

static void work(unsigned long count)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct stock first = { 0 }, last;
	events = closes = 0;
	while (closes < count) {
		go_round(&at);
		if (closes % FORKED < 6)
			fork_once(&at);
		if (!first.size && closes >= FIRST)
			first = take_stock(true);
	}
	last = take_stock(true);
	tell_stock("first", &first);
	tell_stock("last ", &last);
	if (has_grown(&first, &last))
		shared->grown++;
	close(at.listener);
	shared->closes += closes + 1;
	shared->events += events + 2; /* listen, close */
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	unsigned workers = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "mmap");
	for (unsigned i = 1; i < workers; i++)
		if (!fork()) {
			work(count / workers);
			shared->events += 2; /* its begin and its exit */
			_exit(0);
		}
	work(count / workers);
	while (wait(NULL) > 0)
		;
	shared->events += 2;
	say("%lu closes, %u of %u grown\n", shared->closes, shared->grown, workers);
	dprintf(2, "== %lu events\n", shared->events);
	return 0;
}

/*
 * Descriptors without end: as many sockets, copies and others as are asked for
 * or allowed, some of them connections with unread input. What each call says
 * goes into one sum, so that the output is short.
 *
 *   numbers COUNT [HIGHEST]   HIGHEST: a socket gets this number too, or the
 *                             highest one that is allowed
 */
#include "endure.h"

#include <sys/eventfd.h>

static uint64_t sum = 14695981039346656037u;

static int took(int result)
{
	uint64_t is = (uint64_t)(uint32_t)result << 32 | (uint32_t)(result < 0 ? errno : 0);
	sum = (sum ^ is) * 1099511628211u;
	return result;
}

static int open_one(const struct meeting *at, int i, int before)
{
	struct pair p;
	switch (i % 1000 ? i % 4 : 9) {
	case 0:
		return took(dup(before));
	case 1:
		return took(eventfd(0, 0));
	case 9:
		/* its other end keeps a number of its own */
		p = meet_many(at, (unsigned)i);
		took(p.peer);
		must(send(p.peer, "?", 1, MSG_NOSIGNAL) == 1, "send");
		await(p.mine, POLLIN);
		return took(p.mine);
	default:
		return took(socket(AF_INET, SOCK_STREAM, 0));
	}
}

/* One whose number may be more than the library has room for. */
static void highest(const struct meeting *at, int number)
{
	struct pair p = unread(at), q = unread(at);
	say("%d\n", dup2(p.mine, number) == number);
	close(p.mine);
	/* it lives on there: its other end gets an answer */
	say("%zd\n", send(number, "!", 1, MSG_NOSIGNAL));
	say("%s\n", dup3(q.mine, number, O_CLOEXEC) == number ? other_end(p.peer) : "no");
	close(number);
	close(q.mine);
	say("%s\n", other_end(q.peer));
}

static int number;

static void work(struct shares *shares, unsigned worker, unsigned count)
{
	int last = -1, opened = 0, most = (int)count;
	struct meeting at = meeting_anywhere(5);
	struct stock before = take_stock(false), after;
	for (; last < most - 10; opened++)
		must((last = open_one(&at, opened, last < 0 ? at.listener : last)) >= 0, "open");
	after = take_stock(false);
	shares->own += after.own - before.own;
	pthread_barrier_wait(&shares->all);
	if (number && !worker)
		highest(&at, number);
	/* in an order of its own: the upper half first, and from below */
	for (int i = 0; i < last; i++) {
		int fd = (i + last / 2) % last;
		if (fd > 10)
			took(close(fd));
	}
	shares->sum += sum + (uint64_t)opened;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, most = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	unsigned room = allow_numbers(most > count ? most + 1 : count);
	number = (int)(most < room ? most : room - 1);
	const struct shares *shares = share(count, room, work);
	say("%016lx\n", (unsigned long)shares->sum);
	dprintf(2, "== %u descriptors in %u processes: %lu KiB more\n", count, shares->workers, shares->own);
	return 0;
}

/*
 * Many connections open at once, each of them with both ends in this process,
 * that are then ended in every way in which one program can end many.
 *
 *   many COUNT
 */
#include "endure.h"

#include <time.h>

struct ends {
	int mine, peer;
};

/* What is unread, and on whose side, is settled before the first of them ends. */
static void prepare(const struct ends *ends, unsigned i)
{
	char byte;
	struct linger now = { 1, 0 };
	if (i % 2) {
		must(send(ends->peer, "?", 1, MSG_NOSIGNAL) == 1, "send");
		await(ends->mine, POLLIN);
	}
	if (i % 8 == 3)
		must(read(ends->mine, &byte, 1) == 1, "read");
	if (i % 8 == 4)
		must(!setsockopt(ends->mine, SOL_SOCKET, SO_LINGER, &now, sizeof now), "setsockopt");
}

static void end_one(const struct ends *ends, unsigned i)
{
	int copy;
	switch (i % 8) {
	case 2:
		shutdown(ends->mine, SHUT_WR);
		close(ends->mine);
		break;
	case 5:
		copy = dup(ends->mine);
		close(ends->mine);
		close(copy);
		break;
	case 6:
		fclose(fdopen(ends->mine, "r"));
		break;
	case 7:
		dup2(2, ends->mine);
		close(ends->mine);
		break;
	default:
		close(ends->mine);
		break;
	}
}

/* The shortest of a few forks, each with a child that has all of them. */
static long fork_time(void)
{
	long shortest = LONG_MAX;
	for (int i = 0; i < 5; i++) {
		struct timespec from, to;
		clock_gettime(CLOCK_MONOTONIC, &from);
		pid_t child = fork();
		if (!child)
			_exit(0);
		clock_gettime(CLOCK_MONOTONIC, &to);
		ended(child);
		long us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
		shortest = us < shortest ? us : shortest;
	}
	return shortest;
}

static _Atomic unsigned *answers;

static void open_all(const struct meeting *at, struct ends *ends, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct pair p = meet_many(at, i);
		ends[i] = (struct ends){ p.mine, p.peer };
	}
	for (unsigned i = 0; i < count; i++)
		prepare(&ends[i], i);
}

static void work(struct shares *shares, unsigned worker, unsigned count)
{
	struct ends *ends = calloc(count, sizeof *ends);
	struct meeting at = meeting_anywhere(5);
	must(ends, "calloc");
	open_all(&at, ends, count);
	pthread_barrier_wait(&shares->all);
	if (!worker)
		dprintf(2, "== fork %ld us\n", fork_time());
	/* half of them one by one, and what their other ends get; a quarter by
	 * the range; the rest with the program */
	for (unsigned i = 0; i < count / 2; i++)
		end_one(&ends[i], i);
	for (unsigned i = 0; i < count / 2; i++) {
		char byte;
		ssize_t n = recv(ends[i].peer, &byte, 1, 0);
		answers[n < 0 ? 0 : n ? 1 : 2]++;
		close(ends[i].peer);
	}
	unsigned three_quarters = count / 4 * 3;
	must(!close_range((unsigned)ends[count / 2].peer, (unsigned)ends[three_quarters].mine, 0), "close_range");
	for (unsigned i = three_quarters + 1; i < count; i++)
		must(fcntl(ends[i].mine, F_GETFD) >= 0, "still there");
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned room = allow_numbers(2 * count + 100);
	answers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(answers != MAP_FAILED, "mmap");
	share(count, (room - 100) / 2, work);
	say("%u resets, %u answers, %u ends of file\n", answers[0], answers[1], answers[2]);
	return 0;
}

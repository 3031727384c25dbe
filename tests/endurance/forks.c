/*
 * Forks without end, each with a socket that both have. At the end it must be as
 * clear as at the beginning who holds what.
 *
 *   forks COUNT
 *
 * Each tenth child is killed, which ends it without a word; each hundredth round
 * begins another socket. The last socket is closed by a child, then here: with
 * nothing unread, so that the family's own account is enough.
 */
#include "endure.h"

static struct pair next(const struct meeting *at, struct pair before)
{
	if (before.mine >= 0)
		must(!close(before.mine) && !close(before.peer), "close");
	return meet(at);
}

static int one(struct pair p, unsigned i)
{
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child) {
		if (i % 10 == 9)
			kill(child, SIGKILL);
		return ended(child);
	}
	if (i % 10 == 9)
		pause();
	if (i % 2)
		close(p.mine);
	_exit(3);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, ends[2] = { 0 };
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p = { -1, -1 };
	struct stock first = { 0 }, last;
	for (unsigned i = 0; i < count; i++) {
		if (i % 100 == 0)
			p = next(&at, p);
		int status = one(p, i);
		must(status == 0x300 || status == SIGKILL, "child");
		ends[status == SIGKILL]++;
		if (i == 500)
			first = take_stock(true);
	}
	last = take_stock(true);
	say("%u ended, %u killed; %s\n", ends[0], ends[1], has_grown(&first, &last) ? "it has grown" : "nothing has grown");
	tell_stock("first", &first);
	tell_stock("last ", &last);
	p = next(&at, p);
	one(p, 1);
	must(!close(p.mine) && !close(p.peer), "close");
	return 0;
}

/*
 * A random walk: processes that make, copy, pass on and end connections, one
 * step after the other, so that nothing races and the kernel's counters can be
 * read after each.
 *
 *   walk SEED STEPS        WALK_LIBRARY and WALK_LOG say what is preloaded and
 *                          where it records
 *
 * It prints a line for each step: what may be recorded in it (T: the ends of a
 * traced process; E: none, its ends are made elsewhere; X: an exec that failed,
 * whose ends are void), its first and last moment, how much TCPAbortOnClose and
 * TCPAbortOnData grew, the ports of connections whose other ends saw them end, its
 * number, and what it was. The other ends of all connections are this process's,
 * which nobody traces.
 */
#include "walk_families.h"

#include <sys/prctl.h>

static const struct {
	bool (*step)(void);
	unsigned weight;
} steps[] = {
	{ step_accept, 40 },       { step_connect, 20 },        { step_backlog, 3 },
	{ step_receive, 30 },      { step_send, 15 },           { step_shut, 6 },
	{ step_linger, 8 },        { step_peer_sends, 90 },     { step_peer_sends_oob, 12 },
	{ step_peer_ends, 10 },    { step_peer_goes, 8 },       { step_orphan_goes, 40 },
	{ step_peer_receives, 8 }, { step_copy, 25 },           { step_cloexec, 8 },
	{ step_close, 80 },        { step_close_range, 8 },     { step_close_from, 1 },
	{ step_fail, 6 },          { step_launch, 10 },         { step_fork, 8 },
	{ step_spawn, 4 },         { step_exec, 6 },            { step_exit, 6 },
	{ step_worker_dies, 2 },   { step_sleeper_dies, 3 },    { step_reap, 6 },
	{ step_pass, 12 },         { step_take, 14 },
};
enum { STEPS = sizeof steps / sizeof *steps };

static bool any_step(void)
{
	unsigned all = 0, i = 0;
	for (int k = 0; k < STEPS; k++)
		all += steps[k].weight;
	unsigned at = pick(all);
	while (at >= steps[i].weight)
		at -= steps[i++].weight;
	return steps[i].step();
}

static void put_at(int fd, int number)
{
	check(dup2(fd, number), "dup2");
	close(fd);
}

/* Everything is made above, and what the processes have is put into its place. */
static int high(int fd, bool ours)
{
	int copy = fcntl(fd, ours ? F_DUPFD_CLOEXEC : F_DUPFD, 100);
	check(copy, "F_DUPFD");
	close(fd);
	return copy;
}

/* All of the walk on one processor: what is sent is taken in in the order in which
 * it was sent, and what is under way is in one queue. */
static void stay_here(void)
{
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	check(sched_setaffinity(0, sizeof here, &here), "sched_setaffinity");
}

static void prepare(void)
{
	int ends[WORKERS + 2][2];
	for (int i = 0; i < WORKERS + 2; i++) {
		check(i > WORKERS ? pipe(ends[i]) : socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends[i]), "a channel");
		ends[i][0] = high(ends[i][0], i != WORKERS);
		ends[i][1] = high(ends[i][1], false);
	}
	int null = high(open("/dev/null", O_RDWR), false);
	for (int i = 0; i < WORKERS; i++) {
		channels[i] = ends[i][0];
		put_at(ends[i][1], CHANNEL + i);
	}
	put_at(ends[WORKERS][0], OUTBOX);
	put_at(ends[WORKERS][1], INBOX);
	put_at(null, NULL_DEVICE);
	readiness = ends[WORKERS + 1][0];
	put_at(ends[WORKERS + 1][1], READY);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stay_here();
}

/* Nobody holds it at either end: its place is free. */
static void forget_socks(void)
{
	for (int i = 0; i < SOCKS; i++)
		if (socks[i].used && socks[i].peer < 0 && !is_held(i))
			socks[i].used = false;
}

static void walk(int seed, int length)
{
	seed_of_walk = seed;
	chance = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
	prepare();
	while (working() < 3)
		step(step_launch);
	while (step_of_walk < length) {
		step(any_step);
		forget_socks();
	}
	while (working() || processes[WORKERS].pid)
		step(step_last_exit);
	for (int i = WORKERS; i < PROCESSES; i++)
		step(step_sleeper_dies);
	step(step_drop_messages);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		if (argc == 2 && !strcmp(argv[1], "--sleep"))
			sleeps();
		warnx("usage: walk SEED STEPS");
		return 2;
	}
	if (!strcmp(argv[1], "--work"))
		work(atoi(argv[2]));
	walk(atoi(argv[1]), atoi(argv[2]));
	return 0;
}

/*
 * A race: the peer sends while the program closes. Of each close the kernel's
 * counter says whether input was unread.
 *
 *   race LOAD CLOSES FILE         FILE gets a line for each close: 1, it was, or 0;
 *                                 and how many microseconds the close took
 *   race LOAD CLOSES FILE asking  and, by raw system calls with nothing in between,
 *                                 what this program itself sees before each: the
 *                                 best that can be had without the kernel's help
 *
 *   upload   the peer sends without a pause; the program reads some of it, waits 0
 *            to 20 us, and closes
 *   pieces   the peer sends 100 bytes after pauses of 0 to 100 us; the program reads
 *            the first, waits 0 to 100 us, and closes
 *   passed   as pieces, with sockets that came in a message, so that others may hold
 *            them and the kernel is asked about that too
 *   edge     as pieces, but the program reads all that there is, until it is told
 *            that there is no more, and closes at once
 *
 * The peer is a process that the library knows nothing of.
 */
#include "counters.h"
#include "rights.h"

#include <linux/sock_diag.h>
#include <signal.h>

enum load { UPLOAD, PIECES, PASSED, EDGE, LOADS };
static const char *const loads[LOADS] = { "upload", "pieces", "passed", "edge" };

static uint64_t chance = 88172645463325252u;
static unsigned pick(unsigned below)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)((chance * 0x2545f4914f6cdd1du) >> 33) % below;
}

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wait_up_to(unsigned ns)
{
	uint64_t until = now() + pick(ns);
	while (now() < until)
		;
}

static void send_until_told(const struct meeting *at, enum load load)
{
	static const char text[8192];
	int fd = raw_connect(at, SOCK_CLOEXEC);
	for (;;) {
		size_t bytes = load == UPLOAD ? pick(sizeof text) + 1 : 100;
		if (load != UPLOAD)
			wait_up_to(100000);
		if (raw(SYS_sendto, fd, text, bytes, MSG_NOSIGNAL, 0, 0) < 0)
			break;
	}
	raw(SYS_close, fd);
}

static pid_t peer(const struct meeting *at, int from, enum load load)
{
	pid_t child = (pid_t)raw6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
	check(child, "clone");
	if (child)
		return child;
	chance += (uint64_t)raw(SYS_getpid, 0);
	raw(SYS_close, from);
	for (;;)
		send_until_told(at, load);
}

static void use(int fd, enum load load)
{
	static char space[65536];
	switch (load) {
	case UPLOAD:
		for (unsigned reads = pick(3) + 1; reads; reads--)
			if (read(fd, space, 4096) < 0)
				err(2, "read");
		wait_up_to(20000);
		break;
	case PIECES:
	case PASSED:
		if (read(fd, space, 100) < 0)
			err(2, "read");
		wait_up_to(100000);
		break;
	default:
		if (read(fd, space, sizeof space) < 0)
			err(2, "read");
		wait_up_to(100000);
		while (recv(fd, space, sizeof space, MSG_DONTWAIT) > 0)
			;
	}
}

static int passed_on(int fd, const int *way)
{
	send_right(way[0], fd);
	int other = receive_right(way[1]);
	check(close_range((unsigned)fd, (unsigned)fd, 0), "close_range"); /* only what `close` ends is counted */
	return other;
}

static bool is_unread(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS];
	socklen_t size = sizeof memory;
	check(raw(SYS_getsockopt, fd, SOL_SOCKET, SO_MEMINFO, memory, &size), "SO_MEMINFO");
	return memory[SK_MEMINFO_RMEM_ALLOC];
}

static struct close {
	bool truth, seen;
	uint64_t took;
} *done;

/* Goes on to `closes` connections. */
static void races(enum load load, int from, long closes, bool asks)
{
	int way[2];
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, way), "socketpair");
	uint64_t before = counters().on_close;
	for (long i = 0; i < closes; i++) {
		int fd = accept(from, NULL, NULL);
		check(fd, "accept");
		if (load == PASSED)
			fd = passed_on(fd, way);
		use(fd, load);
		uint64_t begun = now();
		if (asks) {
			done[i].seen = is_unread(fd);
			raw(SYS_close, fd);
		} else {
			close(fd);
		}
		done[i].took = now() - begun;
		uint64_t after = counters().on_close;
		done[i].truth = after != before;
		before = after;
	}
}

int main(int argc, char **argv)
{
	enum load load = 0;
	while (argc >= 4 && load < LOADS && strcmp(argv[1], loads[load]))
		load++;
	if (argc < 4 || load == LOADS) {
		warnx("usage: race upload|pieces|passed|edge CLOSES FILE [asking]");
		return 2;
	}
	long closes = atol(argv[2]);
	bool asks = argc > 4;
	FILE *file = fopen(argv[3], "w");
	if (!file || !(done = calloc((size_t)closes, sizeof *done)))
		err(2, "%s", argv[3]);
	chance ^= now();
	struct meeting at = meeting(V4);
	int from = listener(&at, 1);
	pid_t child = peer(&at, from, load);
	races(load, from, closes, asks);
	raw(SYS_kill, child, SIGKILL);
	for (long i = 0; i < closes; i++)
		fprintf(file, "%d %llu%s\n", done[i].truth, (unsigned long long)done[i].took / 1000,
		        !asks ? "" : done[i].seen ? " reset-unread" : " fin");
	return fclose(file) ? 2 : 0;
}

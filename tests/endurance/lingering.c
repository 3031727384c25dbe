/*
 * Many connections that are ended with input unread while their other ends stay:
 * all of them linger at once. When standard input ends the other ends send some
 * more, which a connection that nobody reads on answers with a reset, and end.
 *
 *   lingering COUNT
 */
#include "endure.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <time.h>

static int gate[2];
static unsigned all;

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static bool was_reset(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	return send(fd, "more", 4, MSG_NOSIGNAL) != 4 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) || error;
}

static void end_all(const struct meeting *at, int *peers, double *times, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct pair pair = unread(at);
		double from = seconds();
		must(!close(pair.mine), "close");
		times[i] = seconds() - from;
		peers[i] = pair.peer;
	}
	qsort(times, count, sizeof *times, by_size);
}

static void work(struct shares *shares, unsigned number, unsigned count)
{
	struct meeting at = meeting_anywhere(16);
	count += number ? 0 : all % shares->workers;
	int *peers = calloc(count, sizeof *peers);
	double *times = calloc(count, sizeof *times);
	char byte;
	unsigned kept = 0;
	must(peers && times, "calloc");
	at.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
	/* one after the other, so that whoever takes them has a processor, too */
	for (unsigned turn = 0; turn < shares->workers; turn++) {
		if (turn == number)
			end_all(&at, peers, times, count);
		pthread_barrier_wait(&shares->all);
	}
	if (!number) {
		dprintf(2, "== close p50 %.0f us, p99 %.0f us, longest %.0f us\n", times[count / 2] * 1e6,
		        times[count * 99 / 100] * 1e6, times[count - 1] * 1e6);
		say("%u closed\n", all);
		must(!read(0, &byte, 1), "standard input");
		close(gate[1]);
	} else {
		close(gate[1]);
		must(!read(gate[0], &byte, 1), "the gate");
	}
	for (unsigned i = 0; i < count; i++)
		kept += !was_reset(peers[i]) && !strcmp(other_end(peers[i]), "end of file");
	shares->sum += kept;
}

int main(int argc, char **argv)
{
	all = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned room = allow_numbers(all + 200);
	must(!pipe2(gate, O_CLOEXEC), "pipe");
	struct shares *shares = share(all, room - 200, work);
	say("%ju heard until their end\n", (uintmax_t)shares->sum);
	return 0;
}

/*
 * What a graceful close costs the program that closes. The peers are not
 * followed: their calls go past libc.
 *
 *   graceful nothing|once|helper COUNT
 *
 * nothing: the peer ended first and all is read; once: so, but input is unread;
 * helper: the peer has not ended. Prints, of one connection, the CPU time of this
 * process and the wall-clock time, and of its close the median and the 99th
 * percentile, all in ns.
 */
#include "../truth/raw.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char data[256];

static uint64_t now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(int is_so, const char *what)
{
	if (is_so)
		return;
	perror(what);
	exit(1);
}

static uint64_t one(int listener, const struct sockaddr_in *address, char mode)
{
	int client = (int)raw(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
	must(client >= 0 && !raw(SYS_connect, client, (long)address, sizeof *address, 0, 0, 0), "connect");
	must(raw(SYS_sendto, client, (long)data, 64, 0, 0, 0) == 64, "send");
	int server = accept(listener, NULL, NULL);
	must(server >= 0 && (mode == 'o' || recv(server, data, 64, MSG_WAITALL) == 64), "recv");
	must(send(server, data, 64, 0) == 64, "answer");
	must(raw(SYS_recvfrom, client, (long)data, 64, MSG_WAITALL, 0, 0) == 64, "recv");
	if (mode != 'h')
		must(!raw(SYS_shutdown, client, SHUT_WR, 0, 0, 0, 0), "shutdown");
	if (mode == 'n')
		must(!recv(server, data, 1, 0), "end");
	uint64_t before = now(CLOCK_MONOTONIC);
	close(server);
	uint64_t took = now(CLOCK_MONOTONIC) - before;
	raw(SYS_close, client, 0, 0, 0, 0, 0);
	return took;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	char mode = argc > 1 ? *argv[1] : 'n';
	size_t count = argc > 2 ? (size_t)atol(argv[2]) : 10000;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t *took = calloc(count, sizeof *took);

	must(took && !bind(listener, (void *)&address, size) && !listen(listener, 16) &&
	         !getsockname(listener, (void *)&address, &size), "listen");
	for (int i = 0; i < 500; i++)
		one(listener, &address, mode);
	uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
	for (size_t i = 0; i < count; i++)
		took[i] = one(listener, &address, mode);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = now(CLOCK_MONOTONIC) - wall;
	qsort(took, count, sizeof *took, ascending);
	printf("%ju %ju %ju %ju\n", (uintmax_t)(cpu / count), (uintmax_t)(wall / count), (uintmax_t)took[count / 2],
	       (uintmax_t)took[count * 99 / 100]);
	return 0;
}

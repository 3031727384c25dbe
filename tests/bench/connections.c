/*
 * The worst case for a library that looks at connections and not at data: many
 * short ones, both ends in this process. Prints the CPU time of one, in ns.
 *
 *   connections COUNT [BYTES [DEPTH]]   DEPTH: frames below the calls (stacks)
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char data[1 << 16];

static double cpu_ns(void)
{
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e9 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e3;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void one(int listener, const struct sockaddr_in *address, size_t bytes)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof peer;
	int client = socket(AF_INET, SOCK_STREAM, 0);
	if (client < 0 || connect(client, (const void *)address, sizeof *address))
		fail("connect");
	int server = accept(listener, (void *)&peer, &size);
	if (server < 0)
		fail("accept");
	/* a question, an answer, an orderly end: nothing for the library to say */
	if (send(client, data, bytes, 0) != (ssize_t)bytes || recv(server, data, bytes, MSG_WAITALL) != (ssize_t)bytes ||
	    send(server, data, bytes, 0) != (ssize_t)bytes)
		fail("data");
	close(server);
	if (recv(client, data, bytes, MSG_WAITALL) != (ssize_t)bytes || recv(client, data, bytes, 0) != 0)
		fail("answer");
	close(client);
}

static void __attribute__((noinline)) deeper(int depth, int listener, const struct sockaddr_in *address, size_t bytes,
					     long count)
{
	if (depth > 0) {
		deeper(depth - 1, listener, address, bytes, count);
		__asm__ volatile("" ::: "memory"); /* no tail call: a frame each */
		return;
	}
	while (count--)
		one(listener, address, bytes);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 10000;
	size_t bytes = argc > 2 ? (size_t)atol(argv[2]) : 64;
	int depth = argc > 3 ? atoi(argv[3]) : 0;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bytes > sizeof data || bind(listener, (void *)&address, size) || listen(listener, 16) ||
	    getsockname(listener, (void *)&address, &size))
		fail("listen");
	deeper(0, listener, &address, bytes, 1000);
	double before = cpu_ns();
	deeper(depth, listener, &address, bytes, count);
	printf("%.0f\n", (cpu_ns() - before) / (double)count);
	return 0;
}

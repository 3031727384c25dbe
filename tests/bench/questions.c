/*
 * What the library's questions cost by themselves, in ns of CPU time: the floor
 * of what a followed connection can cost. A line each: the figure, how often a
 * recorded connection of two traced ends asks it, and its name.
 */
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 200000 };

static int client;

static void ask_getpid(void)
{
	syscall(SYS_getpid);
}

static void ask_meminfo(void)
{
	unsigned memory[SK_MEMINFO_VARS];
	socklen_t size = sizeof memory;
	getsockopt(client, SOL_SOCKET, SO_MEMINFO, memory, &size);
}

static void ask_tcp_info(void)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size);
}

static void ask_name(void)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	getsockname(client, (void *)&name, &size);
}

static void ask_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
}

static const struct {
	void (*ask)(void);
	int times;
	const char *name;
} questions[] = {
	{ ask_getpid, 2, "getpid" },    { ask_meminfo, 2, "SO_MEMINFO" },  { ask_tcp_info, 2, "TCP_INFO" },
	{ ask_name, 1, "getsockname" }, { ask_clock, 5, "clock_gettime" },
};

static double cpu_ns(void)
{
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e9 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e3;
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &size) || connect(client, (void *)&address, size))
		return 1;
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		double before = cpu_ns();
		for (int n = 0; n < TIMES; n++)
			questions[i].ask();
		printf("%.0f %d %s\n", (cpu_ns() - before) / TIMES, questions[i].times, questions[i].name);
	}
	return 0;
}

/*
 * Waiting until nothing is under way that would still change the kernel's counters
 * or the state of a socket.
 */
#ifndef SETTLE_H
#define SETTLE_H

#include "counters.h"
#include "pair.h"

#include <sched.h>

/* How many segments were sent, by anybody here. */
static inline uint64_t segments(void)
{
	static int fd = -1, place;
	static char text[8192];
	if (fd < 0 && (fd = open("/proc/net/snmp", O_RDONLY | O_CLOEXEC)) < 0)
		err(2, "/proc/net/snmp");
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	const char *names = strstr(text, "\nTcp: "), *numbers = names ? strchr(++names, '\n') : NULL;
	if (!numbers)
		errx(2, "no counters");
	if (!place)
		place = place_of_name(names, "OutSegs");
	return number_at(numbers + 1, place);
}

/* Behind all that this processor has still to deliver. */
static inline void send_behind(int fd, size_t cpu)
{
	char byte = 0;
	cpu_set_t this;
	CPU_ZERO(&this);
	CPU_SET(cpu, &this);
	check(sched_setaffinity(0, sizeof this, &this), "sched_setaffinity");
	check(raw(SYS_write, fd, &byte, 1), "a datagram");
	await(fd, POLLIN);
	check(raw(SYS_read, fd, &byte, 1), "a datagram");
}

static inline int own_way(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	int fd = (int)raw(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check(fd, "a datagram's socket");
	check(raw(SYS_bind, fd, &at, size), "bind");
	check(raw(SYS_getsockname, fd, &at, &size), "getsockname");
	check(raw(SYS_connect, fd, &at, size), "connect");
	return fd;
}

/*
 * Waits until each segment that was sent has been taken in at the other end, and
 * its answers. What goes over the loopback is put into a queue of the processor
 * that sent it; most often it is out of it again before the call returns, but on a
 * busy machine a thread of the kernel's (ksoftirqd) has to come to it. A datagram
 * that is put behind it tells when. Where nothing new was sent meanwhile, nothing
 * is under way, but for what waits for a timer.
 */
static inline void settle(void)
{
	cpu_set_t mine;
	int fd = own_way(), tries = 0;
	uint64_t sent = segments(), before;
	check(sched_getaffinity(0, sizeof mine, &mine), "sched_getaffinity");
	do {
		before = sent;
		for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &mine))
				send_behind(fd, cpu);
		sent = segments();
		if (tries++ == 10000)
			errx(2, "there is no end to what is sent");
	} while (sent != before);
	check(sched_setaffinity(0, sizeof mine, &mine), "sched_setaffinity");
	raw(SYS_close, fd);
}

#endif

/*
 * What must hold for a program whatever becomes of a hand-over: that its closes
 * return what they would have, that a number is free when they do, and that an
 * answer comes whole which a bare close would have delivered.
 */
#ifndef HANDING_H
#define HANDING_H

#include "net.h"
#include "selves.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

/* True: as it should be. */
static bool close_well(int fd)
{
	errno = 77;
	bool well = !close(fd) && errno == 77;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	well = well && next == fd;
	close(next);
	return well;
}

static unsigned descriptors(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* N connections with nothing unread, whose answers a bare close delivers; and as
 * many with a question behind, which it resets. Returns how many of those came
 * whole all the same. */
static int hand_some(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	int n = atoi(argument), well = 0, kept = 0, saved = 0;
	double *times = calloc(2 * (size_t)n, sizeof *times);
	signal(SIGCHLD, count_signal);
	unsigned before = descriptors();
	for (int i = 0; i < 2 * n; i++) {
		struct pair p = answered(&at);
		if (i & 1)
			question(&p);
		double from = seconds();
		well += close_well(p.mine);
		times[i] = seconds() - from;
		*(i & 1 ? &saved : &kept) += !strcmp(answer_at(p.peer), "whole");
	}
	say("closes: %d well of %d\n", well, 2 * n);
	say("kept: %d of %d\n", kept, n);
	say("descriptors: %d\n", (int)(descriptors() - before));
	say("children: %s\n", waitpid(-1, NULL, WNOHANG) < 0 ? strerrorname_np(errno) : "some");
	say("SIGCHLD: %d\n", atomic_load(&got[SIGCHLD]));
	qsort(times, (size_t)n * 2, sizeof *times, by_size);
	say_longest(times[2 * n - 1]);
	free(times);
	return saved;
}

static void hands(const char *argument)
{
	say("wire: %d\n", hand_some(argument));
}

static void hands_quietly(const char *argument)
{
	hand_some(argument);
}

static void raise_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo) && !close(fd), "lo");
}

/* In the network that it started in, then in another one: a connection of the
 * first, and one of the second. */
static void moves(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p[3] = { answered(&at), answered(&at) };
	(void)argument;
	for (int i = 0; i < 3; i++) {
		if (i == 1) {
			must(!unshare(CLONE_NEWNET), "unshare");
			raise_loopback();
		} else if (i == 2) {
			at = meeting(5, SOCK_CLOEXEC);
			p[i] = answered(&at);
		}
		question(&p[i]);
		say("close: %d\n", close_well(p[i].mine));
		say("wire: %s\n", answer_at(p[i].peer));
	}
}

#endif

/*
 * Hosts that end many connections, or some whose peers do not behave.
 */
#ifndef LOADS_H
#define LOADS_H

#include "net.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* More than it takes to start a drain three times where others have the processors,
 * less than anybody takes who waits for a drain to end (20 s of quiet), or for a peer. */
static void say_longest(double taken)
{
	say("longest: %s\n", taken < 8 ? "short" : "long");
}

static void say_times(double *times, int n)
{
	qsort(times, (size_t)n, sizeof *times, by_size);
	say("# close: p50 %.0f us, p99 %.0f us, longest %.0f us\n", times[n / 2] * 1e6, times[n * 99 / 100] * 1e6,
	    times[n - 1] * 1e6);
	say_longest(times[n - 1]);
}

static double timed_close(int fd)
{
	double from = seconds();
	must(!close(fd), "close");
	return seconds() - from;
}

/* Closes N connections after their answers; clients that ask no more get them
 * whole under a bare close, and so they must, whatever becomes of the drain. */
static void answers(const char *argument)
{
	enum { AT_A_TIME = 20 };
	struct pair p[AT_A_TIME];
	struct meeting at = meeting(AT_A_TIME, SOCK_CLOEXEC);
	int n = atoi(argument), whole = 0;
	double *times = calloc((size_t)n, sizeof *times);
	for (int i = 0; i < n; i += AT_A_TIME) {
		for (int j = 0; j < AT_A_TIME; j++)
			p[j] = answered(&at);
		for (int j = 0; j < AT_A_TIME; j++)
			times[i + j] = timed_close(p[j].mine);
		for (int j = 0; j < AT_A_TIME; j++)
			whole += !strcmp(answer_at(p[j].peer), "whole");
	}
	say_times(times, n);
	say("wire: %d of %d\n", whole, n);
}

/* One after the other, each while the drain may just be about to go. */
static void rarely(const char *argument)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	int n = atoi(argument), whole = 0;
	for (int i = 0; i < n; i++) {
		struct pair p = answered(&at);
		question(&p);
		must(!close(p.mine), "close");
		whole += !strcmp(answer_at(p.peer), "whole");
		usleep((unsigned)(i % 30) * 100);
	}
	say("wire: %d of %d\n", whole, n);
}

/* N connections are closed while their peers stay, until standard input ends;
 * then the peers end. */
static void stay(const char *argument)
{
	int n = atoi(argument);
	char byte;
	struct rlimit limit = { (rlim_t)n * 2 + 100, (rlim_t)n * 2 + 100 };
	must(!setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	struct meeting at = { .listener = socket(AF_INET, SOCK_STREAM, 0), .address = { .sin_family = AF_INET } };
	socklen_t size = sizeof at.address;
	must(!bind(at.listener, (void *)&at.address, size) && !listen(at.listener, 100) &&
	     !getsockname(at.listener, (void *)&at.address, &size), "listen");
	struct pair *p = calloc((size_t)n, sizeof *p);
	double *times = calloc((size_t)n, sizeof *times);
	for (int i = 0; i < n; i++) {
		/* an address has no more than 28,000 ports to connect from */
		at.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i / 20000);
		p[i] = unread(&at);
	}
	for (int i = 0; i < n; i++)
		times[i] = timed_close(p[i].mine);
	say_times(times, n);
	say("# pid %d\n", getpid());
	say("closed\n");
	must(!read(0, &byte, 1), "standard input");
	int ended_well = 0;
	for (int i = 0; i < n; i++)
		ended_well += !strcmp(other_end(p[i].peer), "end of file");
	say("wire: %d of %d\n", ended_well, n);
}

/* Peers that never end, drip, flood, end, and reset. */
static void peers(const char *argument)
{
	enum { SILENT, DRIPS, FLOODS, ENDS, RESETS, KINDS };
	static const char much[65536];
	struct linger now = { 1, 0 };
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	struct pair p[KINDS];
	(void)argument;
	for (int i = 0; i < KINDS; i++) {
		p[i] = unread(&at);
		fcntl(p[i].peer, F_SETFL, O_NONBLOCK);
	}
	for (int i = 0; i < KINDS; i++)
		close(p[i].mine);
	close(p[ENDS].peer);
	setsockopt(p[RESETS].peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(p[RESETS].peer);
	/* until the one that drips has had its time */
	for (double end = seconds() + 30; seconds() < end; usleep(20000)) {
		if (send(p[DRIPS].peer, "1", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			break;
		for (int i = 0; i < 100 && send(p[FLOODS].peer, much, sizeof much, MSG_NOSIGNAL) > 0; i++)
			;
	}
}

/* How long this process was neither at work nor kept from it by others, from some
 * time on. */
static double asleep(void)
{
	double waited = 0;
	struct timespec worked;
	FILE *file = fopen("/proc/self/schedstat", "r");
	must(file && fscanf(file, "%*s %lf", &waited) == 1 && !fclose(file) &&
	     !clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &worked), "/proc/self/schedstat");
	return seconds() - (double)worked.tv_sec - (double)worked.tv_nsec / 1e9 - waited / 1e9;
}

/* As for CGI: the child is another program with the connection as its standard
 * input, and its parent keeps it and waits. The child says how long its exec slept. */
static void cgi(const char *before)
{
	double shortest = 1;
	char now[32];
	if (*before) {
		double slept = (asleep() - atof(before)) * 1000;
		_exit(slept < 0 ? 0 : slept > 100 ? 100 : (int)slept);
	}
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	for (int i = 0; i < 10; i++) {
		struct pair p = meet(&at);
		pid_t child = fork();
		if (!child) {
			dup2(p.mine, 0);
			snprintf(now, sizeof now, "%.6f", asleep());
			execl("/proc/self/exe", "host", "cgi", now, NULL);
			_exit(127);
		}
		int status = ended(child);
		must(WIFEXITED(status) && WEXITSTATUS(status) <= 100, "exec");
		double took = WEXITSTATUS(status) / 1000.0;
		shortest = took < shortest ? took : shortest;
		close(p.mine);
		close(p.peer);
	}
	say("exec: %s\n", shortest < 0.015 ? "quick" : "slow");
}

#endif

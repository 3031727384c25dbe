/*
 * The conductor's hands: it tells a process what to do, waits until that is done,
 * and writes the step down.
 */
#ifndef WALK_CONDUCT_H
#define WALK_CONDUCT_H

#include "settle.h"
#include "walk_model.h"

#include <stdarg.h>
#include <sys/wait.h>

static int channels[WORKERS]; /* this process's ends */
static int readiness;
static int seed_of_walk, step_of_walk;

static void lost(const char *what)
{
	errx(2, "seed %d, step %d: %s", seed_of_walk, step_of_walk, what);
}

/* steps */

static char what[160];
static bool is_traced, is_void; /* the step's */

static __attribute__((format(printf, 2, 3))) bool did(const struct process *by, const char *form, ...)
{
	va_list list;
	va_start(list, form);
	int n = by ? snprintf(what, sizeof what, "%s%d: ", by->traced ? "" : "untraced ", place_of(by)) : 0;
	vsnprintf(what + n, sizeof what - (size_t)n, form, list);
	va_end(list);
	is_traced = by && by->traced;
	is_void = false;
	return true;
}

/* The connections whose other ends learned in this step that they are over, or
 * went themselves: their ports. */
static const char *ended(void)
{
	static char text[SOCKS * 14];
	struct pollfd ends[SOCKS];
	int n = 0;
	for (int i = 0; i < SOCKS; i++)
		ends[i] = (struct pollfd){ .fd = socks[i].used && !socks[i].ended ? socks[i].peer : -1, .events = POLLRDHUP };
	check(poll(ends, SOCKS, 0), "poll");
	for (int i = 0; i < SOCKS; i++) {
		struct sock *s = &socks[i];
		if (!s->used || s->ended || (s->peer >= 0 && !(ends[i].revents & (POLLRDHUP | POLLHUP | POLLERR))))
			continue;
		s->ended = true;
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%d-%d", n ? "," : "", s->port, s->peer_port);
	}
	return n ? text : "-";
}

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void step(bool (*function)(void))
{
	static struct counters before;
	static bool begun;
	if (!begun)
		before = counters();
	begun = true;
	uint64_t since = now();
	if (!function())
		return;
	settle();
	struct counters after = counters();
	printf("%c %llu %llu %llu %llu %s %d %s\n", is_void ? 'X' : is_traced ? 'T' : 'E', (unsigned long long)since,
	       (unsigned long long)now(), (unsigned long long)(after.on_close - before.on_close),
	       (unsigned long long)(after.on_data - before.on_data), ended(), step_of_walk++, what);
	before = after;
}

/* processes */

static struct answer hear(const struct process *p)
{
	struct answer answer;
	struct pollfd comes = { .fd = channels[place_of(p)], .events = POLLIN };
	if (poll(&comes, 1, 60000) != 1 || read(comes.fd, &answer, sizeof answer) != sizeof answer)
		lost("a process does not answer");
	return answer;
}

static void tell(const struct process *p, struct command command)
{
	if (write(channels[place_of(p)], &command, sizeof command) != sizeof command)
		lost("a process can't be told");
}

static int ask(const struct process *p, struct command command)
{
	tell(p, command);
	return hear(p).result;
}

static int must(const struct process *p, struct command command)
{
	tell(p, command);
	struct answer answer = hear(p);
	if (answer.result < 0) {
		errno = answer.error;
		err(2, "seed %d, step %d, process %d, op %d, call %d, fd %d", seed_of_walk, step_of_walk, place_of(p),
		    command.op, command.number, command.fd);
	}
	return answer.result;
}

/* Its descriptors are gone when this returns. */
static void await_death(struct process *p, int pidfd)
{
	struct pollfd ends = { .fd = pidfd, .events = POLLIN };
	if (poll(&ends, 1, 60000) != 1)
		lost("a process does not end");
	close(pidfd);
	waitpid(p->pid, NULL, WNOHANG);
	p->pid = 0;
	p->count = 0;
}

static int pidfd_of(const struct process *p)
{
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	check(fd, "pidfd_open");
	return fd;
}

#endif

/*
 * What the conductor knows: who holds which socket by which number. It decides
 * what can be done next, never what is right: that is for the kernel to say.
 */
#ifndef WALK_MODEL_H
#define WALK_MODEL_H

#include "walk.h"

enum { SOCKS = 48, HELD = 48, PROCESSES = WORKERS + 6, IN_FLIGHT = 6 };

struct sock {
	bool used;
	int peer;   /* this process's end; -1: it is gone */
	bool mute;  /* the peer sends no more: it ended, or a byte went out of band */
	bool ended; /* the peer was told of the end */
	int port, peer_port;
};

struct held {
	int fd, sock;
	bool cloexec;
};

/* The first WORKERS have the channel of their place; the others sleep. */
struct process {
	pid_t pid; /* 0: none */
	bool traced;
	int count;
	struct held held[HELD];
};

static struct sock socks[SOCKS];
static struct process processes[PROCESSES];
static int in_flight[IN_FLIGHT], flying;

/* chance */

static uint64_t chance;
static unsigned pick(unsigned below)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)((chance * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* sockets */

static int new_sock(void)
{
	for (int i = 0; i < SOCKS; i++)
		if (!socks[i].used)
			return i;
	return -1;
}

static bool is_held(int sock)
{
	for (int i = 0; i < flying; i++)
		if (in_flight[i] == sock)
			return true;
	for (int i = 0; i < PROCESSES; i++)
		for (int k = 0; processes[i].pid && k < processes[i].count; k++)
			if (processes[i].held[k].sock == sock)
				return true;
	return false;
}

/* descriptors */

static void drop(struct process *p, int at)
{
	p->held[at] = p->held[--p->count];
}

static void drop_fd(struct process *p, int fd)
{
	for (int i = 0; i < p->count; i++)
		if (p->held[i].fd == fd) {
			drop(p, i);
			return;
		}
}

static void drop_range(struct process *p, int first, int last)
{
	for (int i = p->count - 1; i >= 0; i--)
		if (p->held[i].fd >= first && p->held[i].fd <= last)
			drop(p, i);
}

static void add(struct process *p, int fd, int sock, bool cloexec)
{
	if (p->count == HELD)
		errx(2, "more descriptors than the walk expects");
	p->held[p->count++] = (struct held){ fd, sock, cloexec };
}

/* processes */

static struct process *new_process(bool sleeps)
{
	for (int i = sleeps ? WORKERS : 0; i < (sleeps ? PROCESSES : WORKERS); i++)
		if (!processes[i].pid)
			return &processes[i];
	return NULL;
}

static int place_of(const struct process *p)
{
	return (int)(p - processes);
}

static int working(void)
{
	int n = 0;
	for (int i = 0; i < WORKERS; i++)
		n += !!processes[i].pid;
	return n;
}

static struct process *any_worker(void)
{
	int n = (int)pick((unsigned)working());
	for (int i = 0;; i++)
		if (processes[i].pid && !n--)
			return &processes[i];
}

/* What an exec leaves. */
static void drop_cloexec(struct process *p)
{
	for (int i = p->count - 1; i >= 0; i--)
		if (p->held[i].cloexec)
			drop(p, i);
}

static void copy_held(struct process *to, const struct process *from)
{
	to->count = from->count;
	memcpy(to->held, from->held, sizeof to->held);
}

#endif

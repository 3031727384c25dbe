/*
 * What the hosts of this suite share: numbers of descriptors, memory as the
 * kernel tells it, and many connections.
 */
#ifndef ENDURE_H
#define ENDURE_H

#include "../hosts/net.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* The limit on numbers, as high as it is allowed up to `most`. */
static inline unsigned allow_numbers(unsigned most)
{
	struct rlimit limit = { most, most };
	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		must(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
		limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
		must(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	}
	return (unsigned)limit.rlim_cur;
}

/* What one process may not have, several have together: `work` is done by as many
 * as it takes, each with its share of `count`, and may wait for all at a barrier. */
struct shares {
	pthread_barrier_t all;
	_Atomic uint64_t sum;
	_Atomic unsigned long own;
	unsigned workers;
};

static inline struct shares *share(unsigned count, unsigned at_once, void (*work)(struct shares *, unsigned, unsigned))
{
	struct shares *shares = mmap(NULL, sizeof *shares, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t between;
	must(shares != MAP_FAILED, "mmap");
	shares->workers = (count + at_once - 1) / at_once;
	pthread_barrierattr_init(&between);
	pthread_barrierattr_setpshared(&between, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shares->all, &between, shares->workers);
	for (unsigned i = 1; i < shares->workers; i++) {
		pid_t child = fork();
		must(child >= 0, "fork");
		if (!child) {
			work(shares, i, count / shares->workers);
			exit(0);
		}
	}
	work(shares, 0, count / shares->workers);
	for (unsigned i = 1; i < shares->workers; i++)
		must(!ended(-1), "a worker");
	return shares;
}

/* In KiB: address space, memory of its own, memory shared without a file. */
struct stock {
	unsigned long size, own, shared, maps, descriptors;
};

static inline unsigned long number_in(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	must(at, name);
	return strtoul(at + strlen(name), NULL, 10);
}

static inline struct stock take_stock(bool descriptors)
{
	struct stock stock = { 0 };
	char space[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, space, sizeof space - 1);
	space[n > 0 ? n : 0] = '\0';
	stock.size = number_in(space, "VmSize:");
	stock.own = number_in(space, "RssAnon:");
	stock.shared = number_in(space, "RssShmem:");
	close(fd);
	must((fd = open("/proc/self/maps", O_RDONLY)) >= 0, "maps");
	while ((n = read(fd, space, sizeof space)) > 0)
		for (ssize_t i = 0; i < n; i++)
			stock.maps += space[i] == '\n';
	close(fd);
	for (int i = 0; descriptors && i < 4096; i++)
		stock.descriptors += fcntl(i, F_GETFD) >= 0;
	return stock;
}

/* Not on standard output, which is compared. */
static inline void tell_stock(const char *when, const struct stock *stock)
{
	dprintf(2, "== %s: %lu KiB, own %lu, shared %lu, %lu mappings, %lu descriptors\n", when, stock->size, stock->own,
	        stock->shared, stock->maps, stock->descriptors);
}

/* What is touched for the first time a little later, a page of a stack or of the
 * table of holders, which has 2.5 MiB, is no growth. */
static inline bool has_grown(const struct stock *first, const struct stock *last)
{
	return last->size > first->size || last->maps > first->maps || last->descriptors != first->descriptors ||
	       last->own > first->own + 128 || last->shared > 2560;
}

/* A connection to one of several addresses, each of which has its own ports. */
static inline struct pair meet_many(const struct meeting *at, unsigned i)
{
	struct meeting there = *at;
	there.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i / 20000 * 256);
	return meet(&there);
}

static inline struct meeting meeting_anywhere(int backlog)
{
	struct meeting at = { .address = { .sin_family = AF_INET } };
	socklen_t size = sizeof at.address;
	at.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(at.listener >= 0 && !bind(at.listener, (void *)&at.address, size) && !listen(at.listener, backlog) &&
	     !getsockname(at.listener, (void *)&at.address, &size), "listen");
	return at;
}

#endif

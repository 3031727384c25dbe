/*
 * The end of a drain is written into the recording of the program that closed
 * the socket, by the path that it was opened by. Records are written, not
 * stored, so that a full disk is an error and no signal; only the header, which
 * has its place on the disk, is mapped.
 */
#include "drain.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATHS = 256 };

struct path {
	char *name; /* NULL: free */
	uint32_t users;
	int fd; /* -1: could not be opened, or is no recording */
	struct hc_header *header;
};

static struct path paths[PATHS]; /* number 0 stays free */
static uint32_t most = PATHS;

uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool is_recording(int fd)
{
	struct hc_header is;
	struct stat status;
	return !fstat(fd, &status) && S_ISREG(status.st_mode) && pread(fd, &is, sizeof is, 0) == (ssize_t)sizeof is &&
	       !memcmp(is.magic, HC_MAGIC, sizeof HC_MAGIC) && is.version == HC_VERSION &&
	       is.byte_order == HC_BYTE_ORDER && is.header_size == HC_HEADER_SIZE && is.slot_size == HC_SLOT_SIZE;
}

static void map_header(struct path *path)
{
	path->header = MAP_FAILED;
	path->fd = open(path->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (path->fd >= 0 && is_recording(path->fd))
		path->header = mmap(NULL, HC_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, path->fd, 0);
	if (path->header != MAP_FAILED)
		return;
	if (path->fd >= 0)
		close(path->fd);
	path->fd = -1;
}

/* A recording that is cut short while we look would end us, and all sockets with
 * us: what is missing becomes memory of ours, which nobody reads. */
static void patch(int number, siginfo_t *info, void *unused)
{
	(void)unused;
	for (uint32_t i = 1; i < PATHS; i++) {
		char *at = info->si_addr, *from = (char *)paths[i].header;
		if (!paths[i].name || paths[i].fd < 0 || at < from || at >= from + HC_HEADER_SIZE)
			continue;
		if (mmap(from, HC_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		         0) != MAP_FAILED)
			return;
	}
	_exit(128 + number);
}

void log_init(uint32_t descriptors)
{
	const struct sigaction on_fault = { .sa_sigaction = patch, .sa_flags = SA_SIGINFO };
	most = (uint32_t)least(PATHS, descriptors);
	sigaction(SIGBUS, &on_fault, NULL);
}

uint32_t log_open(const char *name)
{
	uint32_t empty = 0;
	if (!*name)
		return 0;
	for (uint32_t i = 1; i < most; i++) {
		if (paths[i].name && !strcmp(paths[i].name, name)) {
			paths[i].users++;
			return i;
		}
		if (!paths[i].name && !empty)
			empty = i;
	}
	if (!empty || !(paths[empty].name = strdup(name)))
		return 0;
	paths[empty].users = 1;
	map_header(&paths[empty]);
	return empty;
}

void log_close(uint32_t number)
{
	struct path *path = &paths[number];
	if (!number || --path->users)
		return;
	if (path->fd >= 0) {
		munmap(path->header, HC_HEADER_SIZE);
		close(path->fd);
	}
	free(path->name);
	path->name = NULL;
}

void log_forget(void)
{
	for (uint32_t i = 1; i < most; i++) {
		if (paths[i].name && paths[i].fd >= 0)
			munmap(paths[i].header, HC_HEADER_SIZE);
		free(paths[i].name);
		paths[i] = (struct path){ 0 };
	}
}

/* As recorder.c takes it: what does not fit is counted. */
static bool take_space(struct hc_header *header, size_t size, uint64_t *at)
{
	uint64_t room = header->limit > HC_HEADER_SIZE ? header->limit - HC_HEADER_SIZE : 0;
	if (__atomic_load_n(&header->used, __ATOMIC_RELAXED) + size <= room) {
		*at = __atomic_fetch_add(&header->used, size, __ATOMIC_RELAXED);
		if (*at <= room && size <= room - *at)
			return true;
	}
	__atomic_fetch_add(&header->lost, 1, __ATOMIC_RELAXED);
	return false;
}

static const char *const results[] = {
#define RESULT(name, text, meaning) text,
#include <halfclose/names.def>
};

static size_t append(char *record, size_t used, struct hc_span *span, const char *text)
{
	span->offset = (uint32_t)used;
	span->size = (uint32_t)strlen(text);
	memcpy(record + used, text, span->size);
	return used + span->size;
}

void log_drain(const struct slot *slot, enum hc_result result, uint64_t unacked)
{
	static const char by[] = "helper";
	union {
		struct hc_drain event;
		char bytes[256];
	} is = { 0 };
	const struct path *path = &paths[slot->path];
	struct stat status;
	uint64_t at;

	/* one that was cut short would end us with SIGBUS */
	if (!slot->path || path->fd < 0 || fstat(path->fd, &status) || status.st_size < (off_t)HC_HEADER_SIZE)
		return;
	struct hc_drain *event = &is.event;
	size_t used = append(is.bytes, sizeof *event, &event->result, results[result]);
	used = append(is.bytes, used, &event->by, by);
	size_t size = (used + HC_SLOT_SIZE - 1) / HC_SLOT_SIZE * HC_SLOT_SIZE;
	if (!take_space(path->header, size, &at))
		return;
	event->record = (struct hc_record){ .event = HC_EVENT_drain,
		                            .slots = (uint16_t)(size / HC_SLOT_SIZE),
		                            .t = now(),
		                            .pid = slot->pid,
		                            .tid = slot->tid };
	event->socket = slot->socket;
	event->drained = slot->drained;
	event->us = (event->record.t - slot->since) / 1000;
	event->unacked = unacked;
	event->saved = unacked == UINT64_MAX || slot->unacked == UINT64_MAX ? UINT64_MAX
	               : slot->unacked > unacked                            ? slot->unacked - unacked
	                                                                    : 0;
	uint32_t mark = hc_mark(at / HC_SLOT_SIZE);
	off_t where = (off_t)(HC_HEADER_SIZE + at);
	if (pwrite(path->fd, is.bytes, size, where) != (ssize_t)size ||
	    pwrite(path->fd, &mark, sizeof mark, where) != (ssize_t)sizeof mark)
		__atomic_fetch_add(&path->header->lost, 1, __ATOMIC_RELAXED);
}

/*
 * A recording, written by children of the test and read back byte by byte as
 * recording.h says.
 */
#ifndef HALFCLOSE_TESTS_RECORDED_H
#define HALFCLOSE_TESTS_RECORDED_H

#include "process.h"
#include "recorder.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

static char directory[] = "/tmp/halfclose-recorder-XXXXXX";
static char path[100];

static int set_up(void **state)
{
	(void)state;
	hc_libc_resolve();
	hc_self.pid = getpid();
	return !mkdtemp(directory);
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(directory);
}

static const char *new_path(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

/* A recorder maps one file for the life of its process: each test has its own. */
static int in_child(int (*what)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		hc_self.pid = getpid();
		_exit(what());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct contents {
	struct hc_header header;
	unsigned records, holes, events[HC_EVENTS];
};

static struct contents read_back(void)
{
	struct contents found = { 0 };
	char slot[HC_SLOT_SIZE];
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &found.header, sizeof found.header, 0), sizeof found.header);
	uint64_t room = found.header.limit - HC_HEADER_SIZE, used = found.header.used;
	uint64_t slots = (used < room ? used : room) / HC_SLOT_SIZE;
	for (uint64_t i = 0; i < slots;) {
		struct hc_record record;
		assert_int_equal(pread(fd, slot, sizeof slot, (off_t)(HC_HEADER_SIZE + i * HC_SLOT_SIZE)), sizeof slot);
		memcpy(&record, slot, sizeof record);
		if (record.mark != hc_mark(i)) {
			found.holes++;
			i++;
			continue;
		}
		assert_true(record.slots > 0 && record.event > 0 && record.event < HC_EVENTS);
		found.records++;
		found.events[record.event]++;
		i += record.slots;
	}
	close(fd);
	return found;
}

static void record_exit(uint32_t status)
{
	struct hc_exit *event = hc_record(HC_EVENT_exit, 0);
	if (event) {
		event->status = status;
		hc_commit(event);
	}
}

static void *write_from_thread(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < 5000; i++)
		record_exit(i);
	return NULL;
}

#endif

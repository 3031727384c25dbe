/* The program that handed a socket over: has a thread of it been woken up that did
 * not get a processor since? */
#include "drain.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Asleep, idle, or gone: nobody woke it up. What waits for its own memory, or was
 * stopped, is on its way. */
static bool rests(int tasks, const char *thread)
{
	char path[NAME_MAX + sizeof "/stat"], line[128];
	snprintf(path, sizeof path, "%s/stat", thread);
	int file = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = file < 0 ? -1 : pread(file, line, sizeof line - 1, 0);
	if (file >= 0)
		close(file);
	line[n < 0 ? 0 : n] = '\0';
	const char *name = strrchr(line, ')');
	return !name || !name[1] || strchr("SIZX", name[2]);
}

static bool any_is_on_its_way(int tasks)
{
	char space[4096] __attribute__((aligned(8)));
	for (long n; (n = syscall(SYS_getdents64, tasks, space, sizeof space)) > 0;)
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(space + at);
			at += entry->d_reclen;
			if (*entry->d_name != '.' && !rests(tasks, entry->d_name))
				return true;
		}
	return false;
}

bool host_is_on_its_way(uint32_t pid)
{
	char path[32];
	if (!pid)
		return false;
	snprintf(path, sizeof path, "/proc/%u/task", pid);
	int tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is = tasks >= 0 && any_is_on_its_way(tasks);
	if (tasks >= 0)
		close(tasks);
	return is;
}

#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording.h"

#define DELETED " (deleted)"

static char *proc_path(pid_t pid, const char *name)
{
	return g_strdup_printf("/proc/%d/%s", (int)pid, name);
}

static char *link_of(pid_t pid, const char *name)
{
	char *path = proc_path(pid, name), *text = g_file_read_link(path, NULL);

	g_free(path);
	return text;
}

static char *problem_of(int error)
{
	if (error == ENOENT || error == ESRCH)
		return g_strdup("there is no such process");
	if (error == EACCES || error == EPERM)
		return g_strdup("it may not be looked at: be its user, or root (in a container CAP_SYS_PTRACE, too)");
	return g_strdup(g_strerror(error));
}

static int by_fd(const void *left, const void *right)
{
	const struct held *a = left, *b = right;

	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

static bool read_held(struct target *target, char **problem)
{
	char *path = proc_path(target->pid, "fd");
	DIR *dir = opendir(path);
	const struct dirent *is;

	if (!dir)
		*problem = problem_of(errno);
	g_free(path);
	while (dir && (is = readdir(dir))) {
		char *entry = g_strconcat("fd/", is->d_name, NULL), *link = link_of(target->pid, entry);
		struct held held = { .fd = atoi(is->d_name) };

		if (link && g_str_has_prefix(link, "socket:[")) {
			held.inode = g_ascii_strtoull(link + strlen("socket:["), NULL, 10);
			g_array_append_val(target->held, held);
		}
		g_free(link);
		g_free(entry);
	}
	if (dir)
		closedir(dir);
	g_array_sort(target->held, by_fd);
	return dir != NULL;
}

static void mapping_free(void *data)
{
	struct mapping *mapping = data;

	g_free(mapping->path);
	g_free(mapping);
}

/* A line of /proc/PID/maps; NULL: it is none. In paths a newline is \012. */
static struct mapping *mapping_of(const char *line)
{
	struct mapping is = { 0 };
	char flags[5] = "";
	int at = 0;

	if (sscanf(line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %4s %" G_GINT64_MODIFIER "x %*s %*s %n",
	           &is.start, &is.end, flags, &is.offset, &at) < 4 ||
	    !at)
		return NULL;
	is.readable = flags[0] == 'r';
	is.writable = flags[1] == 'w';
	is.executable = flags[2] == 'x';
	is.shared = flags[3] == 's';
	if (line[at] == '/') {
		char **parts = g_strsplit(line + at, "\\012", -1);

		is.path = g_strjoinv("\n", parts);
		g_strfreev(parts);
		is.deleted = g_str_has_suffix(is.path, DELETED);
		if (is.deleted)
			is.path[strlen(is.path) - strlen(DELETED)] = '\0';
	}
	return g_memdup2(&is, sizeof(is));
}

static void read_memory(struct target *target)
{
	char *path = proc_path(target->pid, "maps"), *text = NULL, **lines;

	if (g_file_get_contents(path, &text, NULL, NULL)) {
		lines = g_strsplit(text, "\n", -1);
		for (char **line = lines; *line; line++) {
			struct mapping *mapping = mapping_of(*line);

			if (mapping)
				g_ptr_array_add(target->memory, mapping);
		}
		g_strfreev(lines);
	}
	g_free(text);
	g_free(path);
}

pid_t target_own_number(pid_t pid, pid_t tid)
{
	char *path = g_strdup_printf("/proc/%d/task/%d/status", (int)pid, (int)tid), *text = NULL;
	const char *numbers = NULL;
	pid_t own = tid;

	if (g_file_get_contents(path, &text, NULL, NULL))
		numbers = strstr(text, "\nNSpid:");
	if (numbers) { /* from the outermost namespace to its own */
		char *line = g_strndup(numbers + 1, strcspn(numbers + 1, "\n"));

		own = atoi(strrchr(line, '\t') ? strrchr(line, '\t') + 1 : "");
		g_free(line);
	}
	g_free(text);
	g_free(path);
	return own > 0 ? own : tid;
}

const struct mapping *target_at(const struct target *target, uint64_t address)
{
	for (unsigned i = 0; i < target->memory->len; i++) {
		const struct mapping *mapping = target->memory->pdata[i];

		if (address >= mapping->start && address < mapping->end)
			return mapping;
	}
	return NULL;
}

static bool is_recording(const char *path)
{
	char *problem = NULL;
	struct recording *recording = recording_open(path, &problem);

	g_free(problem);
	if (!recording)
		return false;
	recording_free(recording);
	return true;
}

/* The file that is mapped, not another that has its name by now: as the process sees
 * the path, else (it is deleted, or in nobody's sight) by the mapping itself. */
static char *way_to(const struct target *target, const struct mapping *mapping)
{
	char *mapped = g_strdup_printf("/proc/%d/map_files/%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x",
	                               (int)target->pid, mapping->start, mapping->end);
	char *named = g_strdup_printf("/proc/%d/root%s", (int)target->pid, mapping->path);
	const char *ways[] = { mapping->path, named, mapped };
	struct stat is, there;
	bool sure = stat(mapped, &is) == 0; /* needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE */
	char *found = NULL;

	for (unsigned i = 0; i < G_N_ELEMENTS(ways) && !found; i++) {
		if (mapping->deleted && ways[i] != mapped)
			continue;
		if (stat(ways[i], &there) < 0 || !S_ISREG(there.st_mode)) /* to open a device can do something */
			continue;
		if (sure && (there.st_ino != is.st_ino || there.st_dev != is.st_dev))
			continue;
		if (is_recording(ways[i]))
			found = g_strdup(ways[i]);
	}
	g_free(named);
	g_free(mapped);
	return found;
}

static bool is_ours(const struct mapping *mapping)
{
	const char *slash = mapping->path ? strrchr(mapping->path, '/') : NULL;

	return slash && g_str_has_prefix(slash + 1, "libhalfclose.so");
}

static bool was_told_to_record(pid_t pid)
{
	static const char name[] = "HALFCLOSE_LOG=";
	char *path = proc_path(pid, "environ"), *text = NULL;
	gsize size = 0;
	bool found = false;

	if (g_file_get_contents(path, &text, &size, NULL))
		for (const char *at = text; at < text + size && !found; at += strlen(at) + 1)
			found = g_str_has_prefix(at, name) && at[strlen(name)];
	g_free(text);
	g_free(path);
	return found;
}

static void find_recording(struct target *target)
{
	for (unsigned i = 0; i < target->memory->len; i++) {
		const struct mapping *mapping = target->memory->pdata[i];

		target->traced |= is_ours(mapping);
		if (target->recording || !mapping->path || !mapping->shared || !mapping->writable)
			continue;
		target->recording = way_to(target, mapping);
		if (target->recording)
			target->called = g_strconcat(mapping->path, mapping->deleted ? DELETED : "", NULL);
	}
}

struct target *target_open(pid_t pid, char **problem)
{
	struct target *target = g_new0(struct target, 1);

	*problem = NULL;
	target->pid = pid;
	target->held = g_array_new(FALSE, FALSE, sizeof(struct held));
	target->memory = g_ptr_array_new_with_free_func(mapping_free);
	target->exe = link_of(pid, "exe");
	if (!target->exe)
		target->exe = g_strdup("");
	if (!read_held(target, problem)) {
		target_free(target);
		return NULL;
	}
	read_memory(target);
	find_recording(target);
	target->told_to = was_told_to_record(pid);
	return target;
}

void target_free(struct target *target)
{
	g_free(target->exe);
	g_free(target->recording);
	g_free(target->called);
	g_array_unref(target->held);
	g_ptr_array_unref(target->memory);
	g_free(target);
}

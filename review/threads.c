#include "threads.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "python.h"
#include "stopped.h"
#include "unwind.h"

struct reader {
	const struct target *target;
	struct symbols *symbols;
	struct unwinder *unwinder;
	struct python *python; /* NULL: it is none */
	GArray *callers;       /* of the thread that is stopped now, in Python: struct frame */
	GHashTable *modules;   /* the mapping that a file begins with -> struct module, owned */
};

static void thread_free(void *data)
{
	struct thread *thread = data;

	g_free(thread->name);
	g_free(thread->problem);
	g_array_unref(thread->frames);
	g_free(thread);
}

static void take_build_id(const char *at, const char *end, struct hc_build_id *id)
{
	while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)at;
		size_t name = (note->n_namesz + 3u) & ~3u, size = (note->n_descsz + 3u) & ~3u;

		if ((size_t)(end - at) < sizeof(*note) + name + size)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && !memcmp(note + 1, "GNU", 4) &&
		    note->n_descsz <= sizeof(id->bytes)) {
			id->size = (uint8_t)note->n_descsz;
			memcpy(id->bytes, (const char *)(note + 1) + name, id->size);
			return;
		}
		at += sizeof(*note) + name + size;
	}
}

/* From the file's headers in the process's memory: on disk there may be another by now. */
static void read_build_id(pid_t pid, uint64_t base, struct hc_build_id *id)
{
	_Alignas(ElfW(Ehdr)) char page[4096];
	_Alignas(ElfW(Nhdr)) char notes[4096];
	const ElfW(Ehdr) *elf = (const void *)page;

	if (memory_read(pid, base, page, sizeof(page)) != sizeof(page) || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(ElfW(Phdr)) || elf->e_phoff > sizeof(page) - sizeof(ElfW(Phdr)) ||
	    elf->e_phoff % _Alignof(ElfW(Phdr)))
		return;
	for (unsigned i = 0; i < elf->e_phnum && !id->size; i++) {
		size_t at = elf->e_phoff + i * sizeof(ElfW(Phdr)), size;
		const ElfW(Phdr) *segment = (const void *)(page + at);

		if (at > sizeof(page) - sizeof(*segment))
			return;
		if (segment->p_type != PT_NOTE)
			continue;
		size = memory_read(pid, base + segment->p_offset, notes, MIN(segment->p_filesz, sizeof(notes)));
		take_build_id(notes, notes + size, id);
	}
}

/* The mapping with which the file begins that an address lies in. */
static const struct mapping *beginning_of(const struct target *target, const struct mapping *at)
{
	const struct mapping *found = at;

	for (unsigned i = 0; i < target->memory->len; i++) {
		const struct mapping *mapping = target->memory->pdata[i];

		if (mapping == at)
			break;
		if (mapping->path && !strcmp(mapping->path, at->path) && mapping->offset == 0)
			found = mapping;
	}
	return found;
}

static void append_frame(struct reader *reader, uint64_t address, GArray *frames)
{
	const struct mapping *at = target_at(reader->target, address - 1), *begin;
	struct module *module;

	if (!at || !at->path) {
		symbols_append(reader->symbols, NULL, address, frames);
		return;
	}
	begin = beginning_of(reader->target, at);
	module = g_hash_table_lookup(reader->modules, begin);
	if (!module) {
		module = g_new0(struct module, 1);
		module->path = g_intern_string(at->path);
		read_build_id(reader->target->pid, begin->start, &module->build_id);
		g_hash_table_insert(reader->modules, (gpointer)begin, module);
	}
	symbols_append(reader->symbols, module, address - begin->start, frames);
}

static void walk(struct reader *reader, const struct stopped *stopped, GArray *frames)
{
	GArray *addresses = g_array_new(FALSE, FALSE, sizeof(uint64_t));

	unwinder_walk(reader->unwinder, stopped, addresses);
	for (unsigned i = 0; i < addresses->len; i++)
		append_frame(reader, g_array_index(addresses, uint64_t, i), frames);
	g_array_unref(addresses);
}

static char *word_of(pid_t pid, pid_t tid, const char *name)
{
	char *path = g_strdup_printf("/proc/%d/task/%d/%s", (int)pid, (int)tid, name), *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		text = g_strdup("");
	g_free(path);
	return g_strchomp(text);
}

/* Who may not: the reasons differ, and so do the ways out. */
static char *say_refusal(pid_t pid)
{
	char *path = g_strdup_printf("/proc/%d/status", (int)pid), *status = NULL, *scope = NULL, *why;
	const char *tracer = NULL;

	if (g_file_get_contents(path, &status, NULL, NULL))
		tracer = strstr(status, "\nTracerPid:\t");
	if (tracer && atoi(tracer + strlen("\nTracerPid:\t")))
		why = g_strdup_printf("its threads can't be stopped: process %d traces it (a debugger, strace)",
		                      atoi(tracer + strlen("\nTracerPid:\t")));
	else if (g_file_get_contents("/proc/sys/kernel/yama/ptrace_scope", &scope, NULL, NULL) && atoi(scope) >= 3)
		why = g_strdup("its threads can't be stopped: kernel.yama.ptrace_scope is 3, which forbids it to all");
	else if (scope && atoi(scope))
		why = g_strdup_printf("its threads can't be stopped: kernel.yama.ptrace_scope is %d: be root, and in a "
		                      "container have CAP_SYS_PTRACE",
		                      atoi(scope));
	else
		why = g_strdup("its threads can't be stopped: be its user or root, and in a container have "
		               "CAP_SYS_PTRACE");
	g_free(scope);
	g_free(status);
	g_free(path);
	return why;
}

static void read_python(pid_t tid, void *data)
{
	const struct reader *reader = data;

	if (reader->python)
		python_append(reader->python, target_own_number(reader->target->pid, tid), reader->callers);
}

/* False: it is not allowed. */
static bool add_thread(struct reader *reader, pid_t tid, GPtrArray *threads)
{
	pid_t pid = reader->target->pid;
	struct thread *thread = g_new0(struct thread, 1);
	struct stopped stopped;
	int error;

	thread->tid = tid;
	thread->name = word_of(pid, tid, "comm");
	thread->state = thread_state(pid, tid);
	thread->frames = g_array_new(FALSE, FALSE, sizeof(struct frame));
	g_array_set_size(reader->callers, 0);
	error = stopped_take(&stopped, pid, tid, read_python, reader);
	if (error == ETIMEDOUT)
		thread->problem = g_strdup("It did not stop: it waits for a disk or for a processor.");
	else if (!error)
		walk(reader, &stopped, thread->frames);
	g_array_append_vals(thread->frames, reader->callers->data, reader->callers->len);
	stopped_free(&stopped);
	if (error && error != ETIMEDOUT)
		thread_free(thread); /* it has ended, or none of them may be stopped */
	else
		g_ptr_array_add(threads, thread);
	return error != EPERM && error != EACCES;
}

static int by_number(const void *left, const void *right)
{
	const struct thread *a = *(struct thread *const *)left, *b = *(struct thread *const *)right;

	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

GPtrArray *threads_read(const struct target *target, struct symbols *symbols, char **problem)
{
	GPtrArray *threads = g_ptr_array_new_with_free_func(thread_free);
	struct reader reader = { .target = target, .symbols = symbols };
	char *path = g_strdup_printf("/proc/%d/task", (int)target->pid);
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	*problem = NULL;
	reader.unwinder = unwinder_new(target->pid);
	reader.python = python_of(target);
	reader.callers = g_array_new(FALSE, FALSE, sizeof(struct frame));
	reader.modules = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	while (dir && !*problem && (name = g_dir_read_name(dir)))
		if (!add_thread(&reader, atoi(name), threads))
			*problem = say_refusal(target->pid);
	if (dir)
		g_dir_close(dir);
	g_free(path);
	g_hash_table_unref(reader.modules);
	unwinder_free(reader.unwinder);
	python_free(reader.python);
	g_array_unref(reader.callers);
	g_ptr_array_sort(threads, by_number);
	return threads;
}

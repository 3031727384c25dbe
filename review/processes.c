#include "processes.h"

#include <string.h>

#include "recording.h"

/* What a file calls something: a process by its id, a module by its number. */
struct name {
	unsigned file;
	uint64_t id;
};

static guint name_hash(gconstpointer key)
{
	const struct name *name = key;

	return (guint)((name->id * 0x9e3779b97f4a7c15u) >> 32) ^ name->file;
}

static gboolean name_equal(gconstpointer left, gconstpointer right)
{
	const struct name *a = left, *b = right;

	return a->id == b->id && a->file == b->file;
}

static const char *find_program(const struct processes *processes, unsigned file, uint64_t pid)
{
	struct name name = { file, pid };

	return g_hash_table_lookup(processes->programs, &name);
}

static const char *intern(const char *bytes, size_t size)
{
	char *copy = g_strndup(bytes, size);
	const char *text = g_intern_string(copy);

	g_free(copy);
	return text;
}

struct processes *processes_new(void)
{
	struct processes *processes = g_new0(struct processes, 1);

	processes->programs = g_hash_table_new_full(name_hash, name_equal, g_free, NULL);
	processes->modules = g_hash_table_new_full(name_hash, name_equal, g_free, g_free);
	return processes;
}

void processes_free(struct processes *processes)
{
	g_hash_table_unref(processes->programs);
	g_hash_table_unref(processes->modules);
	g_free(processes);
}

static void insert(GHashTable *table, unsigned file, uint64_t id, void *value)
{
	struct name name = { file, id };

	g_hash_table_insert(table, g_memdup2(&name, sizeof(name)), value);
}

/* A program that is executed goes on as the same process. */
static void add_process(struct processes *processes, const struct event *event)
{
	unsigned file = event->recording->index;
	const char *known = find_program(processes, file, event->record.pid), *program;

	if (event->process.exe.size)
		program = intern((const char *)event->bytes + event->process.exe.offset, event->process.exe.size);
	else
		program = find_program(processes, file, event->process.ppid);
	if (!known || event->process.start == HC_START_fork)
		processes->count++;
	insert(processes->programs, file, event->record.pid, (void *)(uintptr_t)(program ? program : ""));
}

static void add_module(struct processes *processes, const struct event *event)
{
	struct module *module = g_new0(struct module, 1);

	module->path = intern((const char *)event->bytes + event->module.path.offset, event->module.path.size);
	module->build_id = event->module.build_id;
	if (module->build_id.size > sizeof(module->build_id.bytes))
		module->build_id.size = 0;
	insert(processes->modules, event->recording->index, event->module.module, module);
}

void processes_event(struct processes *processes, const struct event *event)
{
	if (event->kind == HC_EVENT_process)
		add_process(processes, event);
}

void processes_module_event(const struct event *event, void *processes)
{
	if (event->kind == HC_EVENT_module)
		add_module(processes, event);
}

const char *processes_program(const struct processes *processes, const struct event *event)
{
	const char *program = find_program(processes, event->recording->index, event->record.pid);

	return program ? program : "";
}

const struct module *processes_module(const struct processes *processes, const struct recording *recording, uint64_t id)
{
	struct name name = { recording->index, id };

	return g_hash_table_lookup(processes->modules, &name);
}

#include "processes.h"

#include <stddef.h>
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

/* A process; a forked one shares its parent's texts until it executes a program of its own. */
struct program {
	const char *path;              /* interned: connections keep it */
	GRefString *cmdline, *options; /* or NULL */
};

static void program_free(gpointer data)
{
	struct program *program = data;

	g_clear_pointer(&program->cmdline, g_ref_string_release);
	g_clear_pointer(&program->options, g_ref_string_release);
	g_free(program);
}

static const struct program *find_program(const struct processes *processes, unsigned file, uint64_t pid)
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

	processes->programs = g_hash_table_new_full(name_hash, name_equal, g_free, program_free);
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

static GRefString *text_of(const struct event *event, struct hc_span span)
{
	return span.size ? g_ref_string_new_len((const char *)event->bytes + span.offset, (gssize)span.size) : NULL;
}

static struct program *copy_program(const struct program *from)
{
	struct program *program = g_new0(struct program, 1);

	program->path = from ? from->path : "";
	program->cmdline = from && from->cmdline ? g_ref_string_acquire(from->cmdline) : NULL;
	program->options = from && from->options ? g_ref_string_acquire(from->options) : NULL;
	return program;
}

/* A program that is executed goes on as the same process. */
static void add_process(struct processes *processes, const struct event *event)
{
	unsigned file = event->recording->index;
	bool forked = event->process.start == HC_START_fork;
	struct program *program;

	if (forked || !find_program(processes, file, event->record.pid))
		processes->count++;
	if (forked && !event->process.exe.size) {
		program = copy_program(find_program(processes, file, event->process.ppid));
	} else {
		program = g_new0(struct program, 1);
		program->path = intern((const char *)event->bytes + event->process.exe.offset, event->process.exe.size);
		program->cmdline = text_of(event, event->process.cmdline);
		program->options = text_of(event, event->process.options);
	}
	insert(processes->programs, file, event->record.pid, program);
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

static const char *intern_span(const struct event *event, struct hc_span span)
{
	return intern((const char *)event->bytes + span.offset, span.size);
}

static void add_script(struct processes *processes, const struct event *event)
{
	struct module *module = g_new0(struct module, 1);

	module->path = intern_span(event, event->script.path);
	module->language = intern_span(event, event->script.language);
	module->function = intern_span(event, event->script.function);
	insert(processes->modules, event->recording->index, event->script.script, module);
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
	else if (event->kind == HC_EVENT_script)
		add_script(processes, event);
}

const char *processes_program(const struct processes *processes, const struct event *event)
{
	const struct program *program = find_program(processes, event->recording->index, event->record.pid);

	return program ? program->path : "";
}

const char *processes_text(const struct processes *processes, const struct event *event, const struct field *field,
                           size_t *size)
{
	const char *text = field_text(event, field, size);
	const struct program *program;

	if (text || event->kind != HC_EVENT_process ||
	    !(program = find_program(processes, event->recording->index, event->record.pid)))
		return text;
	if (field->offset == offsetof(struct hc_process, exe))
		text = *program->path ? program->path : NULL;
	else if (field->offset == offsetof(struct hc_process, cmdline))
		text = program->cmdline;
	else
		text = program->options;
	*size = text ? strlen(text) : 0;
	return text;
}

const struct module *processes_module(const struct processes *processes, const struct recording *recording, uint64_t id)
{
	struct name name = { recording->index, id };

	return g_hash_table_lookup(processes->modules, &name);
}

#include "python.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include <halfclose/cpython.h>

#include "memory.h"

#define THREADS_MOST 4096u
#define FRAMES_MOST 64u
#define TEXT_MOST 400u
#define TABLE_MOST 65536u /* of a line table: read while the thread stands still */

struct python {
	pid_t pid;
	uint64_t runtime, code_type, unicode_type, bytes_type;
};

static bool read_exactly(const struct python *python, uint64_t address, void *to, size_t size)
{
	return address && memory_read(python->pid, address, to, size) == size;
}

/* The addresses of symbols that a file exports, as the file says; 0: it does not. */
static void find_exported(Elf *elf, const char *const *names, uint64_t *addresses, unsigned count)
{
	Elf_Scn *section = NULL;
	GElf_Shdr head;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		GElf_Sym symbol;

		if (!gelf_getshdr(section, &head) || head.sh_type != SHT_DYNSYM || !(data = elf_getdata(section, NULL)))
			continue;
		for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
			const char *name = elf_strptr(elf, head.sh_link, symbol.st_name);

			for (unsigned k = 0; name && k < count; k++)
				if (!strcmp(name, names[k]) && symbol.st_shndx != SHN_UNDEF)
					addresses[k] = symbol.st_value;
		}
	}
}

/* Where the file's first mapped byte is by its own word. */
static uint64_t first_address(Elf *elf)
{
	GElf_Phdr segment;
	size_t count = 0;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD)
			return segment.p_vaddr & -(GElf_Addr)sysconf(_SC_PAGESIZE);
	return 0;
}

enum { RUNTIME, VERSION, CODE_TYPE, UNICODE_TYPE, BYTES_TYPE, SYMBOLS };

/* The file is read through the process's eyes: it may live among other mounts. */
static bool find_symbols(const struct target *target, const struct mapping *begin, uint64_t *addresses)
{
	static const char *const names[SYMBOLS] = { "_PyRuntime", "Py_Version", "PyCode_Type", "PyUnicode_Type",
		                                    "PyBytes_Type" };
	char *path = g_strdup_printf("/proc/%d/root%s", (int)target->pid, begin->path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf *elf = fd >= 0 && elf_version(EV_CURRENT) != EV_NONE ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	bool all = true;

	memset(addresses, 0, SYMBOLS * sizeof(*addresses));
	if (elf)
		find_exported(elf, names, addresses, SYMBOLS);
	for (unsigned i = 0; i < SYMBOLS; i++) {
		all &= addresses[i] != 0;
		if (elf)
			addresses[i] += begin->start - first_address(elf);
	}
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	g_free(path);
	return all;
}

static bool may_be_python(const struct mapping *mapping)
{
	const char *slash = mapping->path && mapping->offset == 0 ? strrchr(mapping->path, '/') : NULL;

	return slash && (g_str_has_prefix(slash + 1, "python3") || g_str_has_prefix(slash + 1, "libpython3"));
}

struct python *python_of(const struct target *target)
{
	struct python python = { .pid = target->pid };

	for (unsigned i = 0; i < target->memory->len; i++) {
		const struct mapping *mapping = target->memory->pdata[i];
		uint64_t addresses[SYMBOLS], version = 0;

		if (!may_be_python(mapping) || !find_symbols(target, mapping, addresses) ||
		    !read_exactly(&python, addresses[VERSION], &version, sizeof(version)) || !CPYTHON_KNOWN(version))
			continue;
		python.runtime = addresses[RUNTIME];
		python.code_type = addresses[CODE_TYPE];
		python.unicode_type = addresses[UNICODE_TYPE];
		python.bytes_type = addresses[BYTES_TYPE];
		return g_memdup2(&python, sizeof(python));
	}
	return NULL;
}

void python_free(struct python *python)
{
	g_free(python);
}

/* The interpreter's own lists may be changed by its other threads: a step into the void
 * ends it. */
static bool find_thread(const struct python *python, pid_t tid, struct cpython_thread *thread)
{
	struct cpython_runtime runtime;
	struct cpython_interpreter interpreter;
	unsigned steps = 0;
	uint64_t at, next;

	if (!read_exactly(python, python->runtime, &runtime, sizeof(runtime)))
		return false;
	for (at = runtime.interpreters; at && read_exactly(python, at, &interpreter, sizeof(interpreter));
	     at = interpreter.next) {
		for (next = interpreter.threads; next && steps++ < THREADS_MOST; next = thread->next) {
			if (!read_exactly(python, next, thread, sizeof(*thread)))
				return false;
			if (thread->native_id == (uint64_t)tid)
				return true;
		}
		if (steps++ >= THREADS_MOST)
			break;
	}
	return false;
}

static const char *read_text(const struct python *python, uint64_t address)
{
	_Alignas(4) char characters[TEXT_MOST * 4];
	char text[TEXT_MOST];
	struct cpython_unicode is;
	uint64_t at;
	size_t count, used;
	char *copy;
	const char *interned;

	if (!read_exactly(python, address, &is, sizeof(is)) || is.head.object.type != python->unicode_type ||
	    !(at = cpython_characters(&is, address)))
		return NULL;
	count = MIN((size_t)is.head.size, TEXT_MOST);
	if (count && !read_exactly(python, at, characters, count * is.kind))
		return NULL;
	used = cpython_utf8(characters, is.kind, count, text, sizeof(text));
	copy = g_strndup(text, used);
	interned = g_intern_string(copy);
	g_free(copy);
	return interned;
}

static unsigned read_line(const struct python *python, const struct cpython_code *code, size_t unit)
{
	struct cpython_var_object bytes;
	unsigned char *table;
	unsigned line = 0;

	if (!read_exactly(python, code->line_table, &bytes, sizeof(bytes)) || bytes.object.type != python->bytes_type ||
	    bytes.size <= 0 || bytes.size > TABLE_MOST)
		return 0;
	table = g_malloc((size_t)bytes.size);
	if (read_exactly(python, code->line_table + CPYTHON_BYTES_HEAD, table, (size_t)bytes.size))
		line = cpython_line(table, (size_t)bytes.size, code->first_line, unit);
	g_free(table);
	return line;
}

void python_append(const struct python *python, pid_t tid, GArray *frames)
{
	struct cpython_thread thread;
	struct cpython_cframe cframe;
	struct cpython_frame is;
	struct cpython_code code;
	uint64_t at;

	if (!find_thread(python, tid, &thread) || !read_exactly(python, thread.cframe, &cframe, sizeof(cframe)))
		return;
	at = cframe.current_frame;
	for (unsigned steps = 0; steps < FRAMES_MOST; steps++, at = is.previous) {
		struct frame frame = { .language = "python" };
		uint64_t begin;

		if (!read_exactly(python, at, &is, sizeof(is)) || is.owner >= CPYTHON_OWNERS ||
		    !read_exactly(python, is.code, &code, sizeof(code)) || code.head.object.type != python->code_type ||
		    code.head.size < 0)
			return;
		begin = is.code + sizeof(code);
		if (is.instruction < begin) /* it has not begun yet */
			continue;
		frame.function = read_text(python, code.qualified_name);
		frame.file = read_text(python, code.filename);
		if (!frame.function || !frame.file)
			return;
		frame.line = read_line(python, &code, (size_t)(is.instruction - begin) / CPYTHON_CODE_UNIT);
		g_array_append_val(frames, frame);
	}
}

#include "stack.h"
#include "process.h"
#include "recorder.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <unwind.h>

enum { SEEN = 1024, PATH = 1024 };

struct file {
	const char *path;
	uint64_t base;
	struct hc_build_id build_id;
};

/* The modules that this process or its parent has recorded. Full: the rest are
 * recorded each time. */
static _Atomic uint64_t seen[SEEN];

static uint64_t own_start, own_end;

void hc_stack_init(void)
{
	struct dl_find_object own;
	if (_dl_find_object((void *)hc_stack_init, &own))
		return;
	own_start = (uint64_t)(uintptr_t)own.dlfo_map_start;
	own_end = (uint64_t)(uintptr_t)own.dlfo_map_end;
}

static bool take_note(const char *at, const char *end, struct hc_build_id *id)
{
	while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)at;
		size_t name = (note->n_namesz + 3u) & ~3u, size = (note->n_descsz + 3u) & ~3u;
		if ((size_t)(end - at) < sizeof *note + name + size)
			return false;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && !memcmp(note + 1, "GNU", 4) &&
		    note->n_descsz <= sizeof id->bytes) {
			id->size = (uint8_t)note->n_descsz;
			memcpy(id->bytes, (const char *)(note + 1) + name, note->n_descsz);
			return true;
		}
		at += sizeof *note + name + size;
	}
	return false;
}

/* Does a readable segment of the file hold [from, from + size)? */
static bool is_loaded(const ElfW(Phdr) * segment, unsigned n, ElfW(Addr) from, size_t size)
{
	for (unsigned i = 0; i < n; i++)
		if (segment[i].p_type == PT_LOAD && segment[i].p_flags & PF_R && from >= segment[i].p_vaddr &&
		    from + size <= segment[i].p_vaddr + segment[i].p_filesz)
			return true;
	return false;
}

/* From the file's own headers in memory, each bound checked. */
static void read_build_id(const struct dl_find_object *object, struct hc_build_id *id)
{
	const char *base = object->dlfo_map_start;
	const ElfW(Ehdr) *elf = (const void *)base;

	memset(id, 0, sizeof *id);
	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_phentsize != sizeof(ElfW(Phdr)) ||
	    elf->e_phoff > 4096 - sizeof(ElfW(Phdr)) || elf->e_phnum > (4096 - elf->e_phoff) / sizeof(ElfW(Phdr)))
		return;
	const ElfW(Phdr) *segment = (const void *)(base + elf->e_phoff);
	ElfW(Addr) bias = object->dlfo_link_map ? object->dlfo_link_map->l_addr : 0;
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		const char *at = (const char *)(bias + segment[i].p_vaddr);
		if (segment[i].p_type == PT_NOTE &&
		    is_loaded(segment, elf->e_phnum, segment[i].p_vaddr, segment[i].p_memsz) &&
		    take_note(at, at + segment[i].p_memsz, id))
			return;
	}
}

static bool find_file(const void *address, struct file *file, bool with_build_id)
{
	struct dl_find_object object;
	if (_dl_find_object((void *)(uintptr_t)address, &object))
		return false;
	file->path = object.dlfo_link_map ? object.dlfo_link_map->l_name : "";
	if (!file->path || !*file->path)
		file->path = hc_self.exe; /* the loader has no name for the program itself */
	file->base = (uint64_t)(uintptr_t)object.dlfo_map_start;
	if (with_build_id)
		read_build_id(&object, &file->build_id);
	return true;
}

/* The same for the same file in every process: its build id, else its path. */
static uint64_t name_module(const struct file *file)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (unsigned i = 0; i < file->build_id.size; i++)
		hash = (hash ^ file->build_id.bytes[i]) * 0x100000001b3u;
	for (const char *c = file->path; !file->build_id.size && *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
	return hash ? hash : 1;
}

static bool is_new(uint64_t module)
{
	for (unsigned i = 0; i < 16; i++) {
		_Atomic uint64_t *place = &seen[(module + i) % SEEN];
		uint64_t is = atomic_load_explicit(place, memory_order_relaxed);
		if (!is && atomic_compare_exchange_strong(place, &is, module))
			return true;
		if (is == module)
			return false;
	}
	return true;
}

static uint64_t record_module(const struct file *file)
{
	uint64_t module = name_module(file);
	if (!is_new(module))
		return module;
	size_t size = strnlen(file->path, PATH), used = 0;
	struct hc_module *event = hc_record(HC_EVENT_module, size);
	if (event) {
		event->module = module;
		event->build_id = file->build_id;
		event->path = hc_tail(event, &used, file->path, size);
		hc_commit(event);
	}
	return module;
}

struct walk {
	struct hc_frame *frames;
	size_t used, max;
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *argument)
{
	struct walk *walk = argument;
	int at_call = 0;
	uint64_t address = _Unwind_GetIPInfo(context, &at_call);
	struct file file;

	if (!address || walk->used == walk->max)
		return _URC_END_OF_STACK;
	if (address >= own_start && address < own_end)
		return _URC_NO_REASON;
	/* readers take one off a return address to get into its call; a frame
	 * that a signal interrupted stands at the instruction itself */
	address += at_call ? 1 : 0;
	struct hc_frame *frame = &walk->frames[walk->used++];
	if (find_file((void *)(uintptr_t)(address - 1), &file, true)) {
		frame->module = record_module(&file);
		frame->offset = address - file.base;
	} else {
		frame->module = 0;
		frame->offset = address;
	}
	return _URC_NO_REASON;
}

size_t hc_stack_take(struct hc_frame *frames, size_t max)
{
	struct walk walk = { frames, 0, max };
	int kept = errno;
	_Unwind_Backtrace(take_frame, &walk);
	errno = kept;
	return walk.used;
}

struct hc_place hc_stack_place(const void *address)
{
	struct file file;
	struct hc_place place = { NULL, (uint64_t)(uintptr_t)address };
	if (find_file(address, &file, false)) {
		place.path = file.path;
		place.offset -= file.base;
	}
	return place;
}

#include "stack.h"
#include "process.h"
#include "recorder.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <unwind.h>

enum { SEEN = 4096, FILES = 256, PATH = 1024 };

/* A loaded file, as the loader places it, and the build id that stands in its
 * memory. Written once, before it is published; never freed. */
struct file {
	const void *start, *end, *link_map, *eh_frame;
	const void *id; /* where the build id stands, NULL: there is none */
	struct hc_build_id build_id;
	uint64_t module;
};

static struct file files[FILES];
static _Atomic uint32_t files_used;
static _Atomic(const struct file *) places[FILES];

/* The modules and scripts that this process or its parent has recorded. Full: the rest are
 * recorded each time. */
static _Atomic uint64_t seen[SEEN];

static uint64_t own_start, own_end;

static _Unwind_Reason_Code take_none(struct _Unwind_Context *context, void *unused)
{
	(void)context;
	(void)unused;
	return _URC_END_OF_STACK;
}

void hc_stack_init(void)
{
	struct dl_find_object own;
	if (_dl_find_object((void *)hc_stack_init, &own))
		return;
	own_start = (uint64_t)(uintptr_t)own.dlfo_map_start;
	own_end = (uint64_t)(uintptr_t)own.dlfo_map_end;
	/* the unwinder's first use sets up its tables under a pthread_once,
	 * which calls the kernel: here, and not in a sandbox or a handler */
	_Unwind_Backtrace(take_none, NULL);
}

static const void *take_note(const char *at, const char *end, struct hc_build_id *id)
{
	while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)at;
		size_t name = (note->n_namesz + 3u) & ~3u, size = (note->n_descsz + 3u) & ~3u;
		if ((size_t)(end - at) < sizeof *note + name + size)
			return NULL;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && !memcmp(note + 1, "GNU", 4) &&
		    note->n_descsz <= sizeof id->bytes) {
			const char *bytes = (const char *)(note + 1) + name;
			id->size = (uint8_t)note->n_descsz;
			memcpy(id->bytes, bytes, id->size);
			return bytes;
		}
		at += sizeof *note + name + size;
	}
	return NULL;
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
static const void *read_build_id(const struct dl_find_object *object, struct hc_build_id *id)
{
	const char *base = object->dlfo_map_start;
	const ElfW(Ehdr) *elf = (const void *)base;

	memset(id, 0, sizeof *id);
	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_phentsize != sizeof(ElfW(Phdr)) ||
	    elf->e_phoff > 4096 - sizeof(ElfW(Phdr)) || elf->e_phnum > (4096 - elf->e_phoff) / sizeof(ElfW(Phdr)))
		return NULL;
	const ElfW(Phdr) *segment = (const void *)(base + elf->e_phoff);
	ElfW(Addr) bias = object->dlfo_link_map ? object->dlfo_link_map->l_addr : 0;
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		const char *at = (const char *)(bias + segment[i].p_vaddr);
		if (segment[i].p_type != PT_NOTE ||
		    !is_loaded(segment, elf->e_phnum, segment[i].p_vaddr, segment[i].p_memsz))
			continue;
		const void *found = take_note(at, at + segment[i].p_memsz, id);
		if (found)
			return found;
	}
	return NULL;
}

/* The loader has no name for the program itself. */
static const char *path_of(const struct dl_find_object *object)
{
	const char *path = object->dlfo_link_map ? object->dlfo_link_map->l_name : NULL;
	return path && *path ? path : hc_self.exe;
}

/* The same for the same file in every process: its build id, else its path. */
static uint64_t name_module(const struct hc_build_id *id, const char *path)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (unsigned i = 0; i < id->size; i++)
		hash = (hash ^ id->bytes[i]) * 0x100000001b3u;
	for (const char *c = path; !id->size && *c; c++)
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

static void record_module(uint64_t module, const struct hc_build_id *id, const char *path)
{
	size_t size = strnlen(path, PATH), used = 0;
	struct hc_module *event = is_new(module) ? hc_record(HC_EVENT_module, size) : NULL;
	if (!event)
		return;
	event->module = module;
	event->build_id = *id;
	event->path = hc_tail(event, &used, path, size);
	hc_commit(event);
}

static _Atomic(const struct file *) *place_of(const struct dl_find_object *object)
{
	return &places[((uintptr_t)object->dlfo_map_start >> 12) % FILES];
}

/* Was this very file seen before? One that was unloaded and another that was
 * loaded in its place may agree in all that the loader tells; the build id in
 * memory is what tells them apart, and stands where it stood if they agree. */
static bool is_same(const struct file *file, const struct dl_find_object *object)
{
	return file && file->start == object->dlfo_map_start && file->end == object->dlfo_map_end &&
	       file->link_map == object->dlfo_link_map && file->eh_frame == object->dlfo_eh_frame && file->id &&
	       !memcmp(file->id, file->build_id.bytes, file->build_id.size);
}

static void remember(const struct dl_find_object *object, const void *id, const struct hc_build_id *build_id,
                     uint64_t module)
{
	if (!id || atomic_load_explicit(&files_used, memory_order_relaxed) >= FILES)
		return;
	uint32_t i = atomic_fetch_add(&files_used, 1);
	if (i >= FILES)
		return;
	files[i] = (struct file){ .start = object->dlfo_map_start,
		                  .end = object->dlfo_map_end,
		                  .link_map = object->dlfo_link_map,
		                  .eh_frame = object->dlfo_eh_frame,
		                  .id = id,
		                  .build_id = *build_id,
		                  .module = module };
	atomic_store_explicit(place_of(object), &files[i], memory_order_release);
}

static uint64_t module_of(const struct dl_find_object *object)
{
	const struct file *file = atomic_load_explicit(place_of(object), memory_order_acquire);
	if (likely(is_same(file, object)))
		return file->module;
	struct hc_build_id build_id;
	const void *id = read_build_id(object, &build_id);
	uint64_t module = name_module(&build_id, path_of(object));
	record_module(module, &build_id, path_of(object));
	remember(object, id, &build_id, module);
	return module;
}

/* glibc's own, and weak, for the unwinder too (preload/libc.h says why). */
int __real__dl_find_object(void *address, struct dl_find_object *object) __attribute__((weak));
int __wrap__dl_find_object(void *address, struct dl_find_object *object);

int __wrap__dl_find_object(void *address, struct dl_find_object *object)
{
	return __real__dl_find_object ? __real__dl_find_object(address, object) : -1;
}

/* Where there is no entry for an address, the unwinder looks at the code there: is
 * it the kernel's return from a signal? Code that was made at run time may not be
 * readable or end right there, and an address may be none at all, as after a jump
 * to nowhere whose crash handler closes. So each address has an entry; this one
 * says that the stack ends. */
#if defined __x86_64__
enum { RETURN_ADDRESS = 16, STACK_POINTER = 7 };
#elif defined __aarch64__
enum { RETURN_ADDRESS = 30, STACK_POINTER = 31 };
#endif

struct bases {
	void *text, *data, *function;
};

const void *__real__Unwind_Find_FDE(void *pc, struct bases *bases);
const void *__wrap__Unwind_Find_FDE(void *pc, struct bases *bases);

const void *__wrap__Unwind_Find_FDE(void *pc, struct bases *bases)
{
	const void *entry = __real__Unwind_Find_FDE(pc, bases);
#if defined __x86_64__ || defined __aarch64__
	/* see DWARF's call frame information: a common entry and one for a range */
	static const struct {
		uint32_t size, is_common;
		uint8_t version, augmentation[1], code_unit, data_unit, return_address, program[11];
		struct {
			uint32_t size, to_common;
			uint64_t from, length;
		} range;
	} none = {
		.size = 20,
		.version = 1,
		.code_unit = 1,
		.data_unit = 0x78,
		.return_address = RETURN_ADDRESS,
		.program = { 0x0c /* def_cfa */, STACK_POINTER, 8, 0x07 /* undefined */, RETURN_ADDRESS },
		.range = { .size = 20, .to_common = 28 },
	};
	_Static_assert(offsetof(typeof(none), range) == 24 && offsetof(typeof(none), program) == 13, "as it is read");
	if (!entry) {
		*bases = (struct bases){ .function = pc };
		entry = &none.range;
	}
#endif
	return entry;
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
	struct dl_find_object object;

	if (!address || walk->used == walk->max)
		return _URC_END_OF_STACK;
	if (address >= own_start && address < own_end)
		return _URC_NO_REASON;
	/* readers take one off a return address to get into its call; a frame
	 * that a signal interrupted stands at the instruction itself, and is the
	 * last: if that was a crash, what its registers point to is not to be read */
	address += at_call ? 1 : 0;
	struct hc_frame *frame = &walk->frames[walk->used++];
	frame->module = 0;
	frame->offset = address;
	if (!_dl_find_object((void *)(uintptr_t)(address - 1), &object)) {
		frame->module = module_of(&object);
		frame->offset -= (uint64_t)(uintptr_t)object.dlfo_map_start;
	}
	return at_call ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* The same for the same function in every process. */
static uint64_t name_script(const struct hc_python_frame *is)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < is->path_size; i++)
		hash = (hash ^ (unsigned char)is->path[i]) * 0x100000001b3u;
	hash *= 0x100000001b3u;
	for (size_t i = 0; i < is->function_size; i++)
		hash = (hash ^ (unsigned char)is->function[i]) * 0x100000001b3u;
	return hash ? hash : 1;
}

static void record_script(uint64_t script, const struct hc_python_frame *is)
{
	static const char language[] = "python";
	size_t size = sizeof language - 1 + is->function_size + is->path_size, used = 0;
	struct hc_script *event = is_new(script) ? hc_record(HC_EVENT_script, size) : NULL;
	if (!event)
		return;
	event->script = script;
	event->language = hc_tail(event, &used, language, sizeof language - 1);
	event->function = hc_tail(event, &used, is->function, is->function_size);
	event->path = hc_tail(event, &used, is->path, is->path_size);
	hc_commit(event);
}

/* Apart, so that a program that is no Python does not have its texts on the stack. */
static __attribute__((noinline)) size_t take_python(struct hc_python_walk *walk, struct hc_frame *frames)
{
	struct hc_python_frame is;
	size_t used = 0;
	while (used < HC_PYTHON_FRAMES && hc_python_next(walk, &is)) {
		frames[used] = (struct hc_frame){ name_script(&is), is.line };
		record_script(frames[used++].module, &is);
	}
	return used;
}

size_t hc_stack_take(struct hc_frame *frames, size_t max)
{
	struct walk walk = { frames, 0, max };
	struct hc_python_walk python;
	int kept = errno;
	_Unwind_Backtrace(take_frame, &walk);
	hc_python_begin(&python);
	if (unlikely(python.frame))
		walk.used += take_python(&python, frames + walk.used);
	errno = kept;
	return walk.used;
}

struct hc_place hc_stack_place(const void *address)
{
	struct dl_find_object object;
	struct hc_place place = { NULL, (uint64_t)(uintptr_t)address };
	if (!_dl_find_object((void *)(uintptr_t)address, &object)) {
		place.path = path_of(&object);
		place.offset -= (uint64_t)(uintptr_t)object.dlfo_map_start;
	}
	return place;
}

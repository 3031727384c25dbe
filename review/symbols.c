#include "symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char *__cxa_demangle(const char *name, char *buffer, size_t *size, int *status);

/* A file on disk that a recording speaks of. */
struct image {
	Dwfl *dwfl;          /* NULL: it can't be used */
	Dwfl_Module *module; /* owned by dwfl */
	Dwarf_Addr start;    /* where dwfl put the module's first byte */
	GHashTable *places;  /* offset -> GArray of struct frame */
};

struct symbols {
	GHashTable *images; /* struct module's path and build id as text -> struct image */
};

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static void image_free(void *data)
{
	struct image *image = data;

	if (image->dwfl)
		dwfl_end(image->dwfl);
	g_hash_table_unref(image->places);
	g_free(image);
}

struct symbols *symbols_new(void)
{
	struct symbols *symbols = g_new0(struct symbols, 1);

	symbols->images = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, image_free);
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	g_hash_table_unref(symbols->images);
	g_free(symbols);
}

static bool same_build_id(Dwfl_Module *module, const struct hc_build_id *wanted)
{
	const unsigned char *bits;
	GElf_Addr address;
	int size = dwfl_module_build_id(module, &bits, &address);

	if (size < 0)
		size = 0;
	return size == wanted->size && (size == 0 || !memcmp(bits, wanted->bytes, wanted->size));
}

/* Where the module's first mapped byte is, in the addresses that dwfl gave it. */
static bool find_start(struct image *image)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(image->module, &bias);
	GElf_Phdr segment;
	size_t count;

	if (!elf || elf_getphdrnum(elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD) {
			image->start = (segment.p_vaddr & -(GElf_Addr)sysconf(_SC_PAGESIZE)) + bias;
			return true;
		}
	}
	return false;
}

static bool image_load(struct image *image, const char *path, const struct hc_build_id *build_id)
{
	struct stat st;

	/* a device, a FIFO or a file of /proc could hold us up */
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	image->dwfl = dwfl_begin(&callbacks);
	if (!image->dwfl)
		return false;
	dwfl_report_begin(image->dwfl);
	image->module = dwfl_report_elf(image->dwfl, path, path, -1, 0x10000000, false);
	dwfl_report_end(image->dwfl, NULL, NULL);
	if (image->module && same_build_id(image->module, build_id) && find_start(image))
		return true;
	dwfl_end(image->dwfl);
	image->dwfl = NULL;
	image->module = NULL;
	return false;
}

/* The file itself; else, by its build id, what a package of debug files left. */
static struct image *image_of(struct symbols *symbols, const struct module *module, const char *build_id)
{
	char *key = g_strconcat(build_id, " ", module->path, NULL);
	struct image *image = g_hash_table_lookup(symbols->images, key);

	if (image) {
		g_free(key);
		return image;
	}
	image = g_new0(struct image, 1);
	image->places = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_array_unref);
	if (!image_load(image, module->path, &module->build_id) && strlen(build_id) > 2) {
		char *path = g_strdup_printf("/usr/lib/debug/.build-id/%.2s/%s.debug", build_id, build_id + 2);

		image_load(image, path, &module->build_id);
		g_free(path);
	}
	g_hash_table_insert(symbols->images, key, image);
	return image;
}

static const char *readable(const char *symbol)
{
	char *plain = g_str_has_prefix(symbol, "_Z") ? __cxa_demangle(symbol, NULL, NULL, NULL) : NULL;
	const char *name = g_intern_string(plain ? plain : symbol);

	free(plain);
	return name;
}

static const char *name_of_function(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		name = dwarf_formstring(&attribute);
	if (!name)
		name = dwarf_diename(die);
	return name ? readable(name) : NULL;
}

/* Only a symbol that covers the address names it: the nearest one may be another function's. */
static const char *name_by_symbol(Dwfl_Module *module, Dwarf_Addr address)
{
	GElf_Off into;
	GElf_Sym symbol;
	const char *name = dwfl_module_addrinfo(module, address, &into, &symbol, NULL, NULL, NULL);

	if (!name || (into >= symbol.st_size && into != 0))
		return NULL;
	return readable(name);
}

static bool is_function(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_entry_point;
}

/* Where an inlined function was called: its caller's file and line. */
static void place_of_call(Dwarf_Die *unit, Dwarf_Die *inlined, struct frame *caller)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file = 0, line = 0;
	Dwarf_Files *files;
	size_t count;
	const char *name = NULL;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
	    dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count)
		name = dwarf_filesrc(files, (size_t)file, NULL, NULL);
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) != 0)
		line = 0;
	caller->file = name ? g_intern_string(name) : NULL;
	caller->line = (unsigned)line;
}

static bool is_namespace(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return true;
	default:
		return false;
	}
}

/* The innermost scope that the address is in. Not by dwarf_getscopes, which finds nothing (and leaks) where an
 * inlined function's definition is in another unit, as link-time optimization puts it. */
static bool find_innermost(Dwarf_Die *scope, Dwarf_Addr address, Dwarf_Die *found)
{
	Dwarf_Die child;

	for (int end = dwarf_child(scope, &child); end == 0; end = dwarf_siblingof(&child, &child)) {
		if (dwarf_haspc(&child, address) > 0) {
			*found = child;
			find_innermost(&child, address, found);
			return true;
		}
		if (is_namespace(&child) && find_innermost(&child, address, found))
			return true;
	}
	return false;
}

/* Appends a frame for each function that the address is in. False: no debug information. */
static bool append_scopes(Dwarf_Die *unit, Dwarf_Addr address, struct frame frame, GArray *frames)
{
	Dwarf_Die at, *nest = NULL;
	bool found = false;
	int count = find_innermost(unit, address, &at) ? dwarf_getscopes_die(&at, &nest) : 0;

	for (int i = 0; i < count; i++) {
		if (!is_function(&nest[i]))
			continue;
		frame.function = name_of_function(&nest[i]);
		g_array_append_val(frames, frame);
		found = true;
		if (dwarf_tag(&nest[i]) != DW_TAG_inlined_subroutine)
			break;
		place_of_call(unit, &nest[i], &frame);
	}
	free(nest);
	return found;
}

static void resolve(const struct image *image, uint64_t offset, struct frame frame, GArray *frames)
{
	Dwarf_Addr address = image->start + offset - 1, bias; /* a return address: the call is before it */
	Dwfl_Line *line = dwfl_module_getsrc(image->module, address);
	Dwarf_Die *unit = dwfl_module_addrdie(image->module, address, &bias);
	const char *file = NULL;
	int number = 0;

	if (line)
		file = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
	frame.file = file ? g_intern_string(file) : NULL;
	frame.line = file && number > 0 ? (unsigned)number : 0;
	if (unit && append_scopes(unit, address - bias, frame, frames))
		return;
	frame.function = name_by_symbol(image->module, address);
	g_array_append_val(frames, frame);
}

void symbols_append(struct symbols *symbols, const struct module *module, uint64_t offset, GArray *frames)
{
	struct frame frame = { .offset = offset };
	const struct image *image;
	GString *build_id;
	GArray *place;

	if (!module) {
		g_array_append_val(frames, frame);
		return;
	}
	if (module->language) {
		frame = (struct frame){ .function = *module->function ? module->function : NULL,
			                .file = *module->path ? module->path : NULL,
			                .line = offset <= UINT_MAX ? (unsigned)offset : 0,
			                .language = *module->language ? module->language : "script" };
		g_array_append_val(frames, frame);
		return;
	}
	frame.module = module->path;
	build_id = g_string_new(NULL);
	for (unsigned i = 0; i < module->build_id.size; i++)
		g_string_append_printf(build_id, "%02x", module->build_id.bytes[i]);
	image = image_of(symbols, module, build_id->str);
	g_string_free(build_id, TRUE);
	place = g_hash_table_lookup(image->places, &offset);
	if (!place) {
		place = g_array_new(FALSE, FALSE, sizeof(struct frame));
		if (image->module)
			resolve(image, offset, frame, place);
		else
			g_array_append_val(place, frame);
		g_hash_table_insert(image->places, g_memdup2(&offset, sizeof(offset)), place);
	}
	g_array_append_vals(frames, place->data, place->len);
}

static bool is_ours(const struct module *module)
{
	const char *slash = module ? strrchr(module->path, '/') : NULL;

	return slash && g_str_has_prefix(slash + 1, "libhalfclose.so");
}

GArray *symbols_stack(struct symbols *symbols, const struct processes *processes, const struct event *event)
{
	GArray *frames = g_array_new(FALSE, FALSE, sizeof(struct frame));
	struct hc_frame addresses[STACK_MOST];
	size_t count = event_frames(event, addresses, STACK_MOST);
	bool inner = true;

	for (size_t i = 0; i < count; i++) {
		const struct module *module = NULL;

		if (addresses[i].module)
			module = processes_module(processes, event->recording, addresses[i].module);
		if (inner && is_ours(module))
			continue;
		inner = false;
		symbols_append(symbols, module, addresses[i].offset, frames);
	}
	return frames;
}

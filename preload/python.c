#include "python.h"
#include "process.h"

#include <signal.h>
#include <string.h>

/* What the program may have: they are the interpreter's, and weak. */
extern const unsigned long Py_Version __attribute__((weak));
extern char PyCode_Type[] __attribute__((weak)), PyUnicode_Type[] __attribute__((weak)),
    PyBytes_Type[] __attribute__((weak));
void *PyGILState_GetThisThreadState(void) __attribute__((weak));

enum { PAGE = 4096, STEPS = 64, TABLE_MAX = 1 << 20 };

#if defined __LP64__
/* CPython 3.11, Include/internal and Include/cpython: the first bytes of each struct,
 * as far as they are needed. */

struct object {
	uint64_t references;
	const char *type;
};

struct var_object {
	struct object object;
	int64_t size;
};

struct thread_state {
	uint64_t before[7];
	uintptr_t cframe;
};

struct cframe {
	uint64_t use_tracing;
	uintptr_t current_frame;
};

struct interpreter_frame {
	uint64_t function, globals, builtins, locals;
	uintptr_t code;
	uint64_t frame_object;
	uintptr_t previous, instruction; /* instruction: the one that is being executed */
	int32_t stack_top;
	uint8_t is_entry, owner;
};

struct code {
	struct var_object head; /* its size: of the instructions, in code units */
	uint64_t constants, names, exception_table;
	int32_t flags, warmup, arguments, positional_only, keyword_only, stack_size, first_line, locals_plus[5];
	uint64_t local_names, local_kinds;
	uintptr_t filename, name, qualified_name, line_table;
	uint64_t weak_references, bytes, line_array, first_traceable, extra;
	/* the instructions follow */
};
_Static_assert(offsetof(struct code, first_line) == 72 && offsetof(struct code, filename) == 112 &&
                   sizeof(struct code) == 184 && offsetof(struct interpreter_frame, owner) == 69,
               "as gdb's ptype /o has it");

struct unicode {
	struct var_object head; /* its size: in characters */
	uint64_t hash;
	uint32_t interned : 2, kind : 3, compact : 1, ascii : 1, ready : 1;
	uint64_t wide;
	/* ASCII: the characters follow; else three words more, and then they do */
};
enum { UNICODE_MORE = 24, BYTES_HEAD = sizeof(struct var_object) + 8, CODE_UNIT = 2, OWNERS = 3 };

/* The kernel reads a mask of signals before it finds that it is not told what to do with it. */
static bool is_page_readable(uintptr_t page)
{
	return hc_sys(SYS_rt_sigprocmask, -1, (long)page, 0, sizeof(uint64_t), 0) < 0 && errno == EINVAL;
}

static bool can_read(struct hc_python_walk *walk, uintptr_t at, size_t size)
{
	if (at < PAGE || at + size < at)
		return false;
	for (uintptr_t page = at / PAGE * PAGE; page < at + size; page += PAGE) {
		bool known = false;
		for (unsigned i = 0; i < sizeof walk->pages / sizeof *walk->pages; i++)
			known |= walk->pages[i] == page;
		if (known)
			continue;
		if (!is_page_readable(page))
			return false;
		walk->pages[walk->next++ % (sizeof walk->pages / sizeof *walk->pages)] = page;
	}
	return true;
}

/* An object where one is expected; NULL: it can't be followed. */
static const void *at(struct hc_python_walk *walk, uintptr_t address, size_t size)
{
	return address % sizeof(void *) == 0 && can_read(walk, address, size) ? (const void *)address : NULL;
}

static const void *object_at(struct hc_python_walk *walk, uintptr_t address, size_t size, const char *type)
{
	const struct object *object = at(walk, address, size);
	return object && object->type == type ? object : NULL;
}

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | (c >> 18 & 7));
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static bool take_text(struct hc_python_walk *walk, uintptr_t address, char *to, size_t *used)
{
	const struct unicode *text = object_at(walk, address, sizeof *text, PyUnicode_Type);
	*used = 0;
	if (!text || !text->compact || !text->ready || text->head.size < 0 || text->head.size > TABLE_MAX ||
	    (text->kind != 1 && text->kind != 2 && text->kind != 4))
		return false;
	size_t count = (size_t)text->head.size < HC_PYTHON_TEXT ? (size_t)text->head.size : HC_PYTHON_TEXT;
	uintptr_t characters = address + sizeof *text + (text->ascii ? 0 : UNICODE_MORE);
	if (!can_read(walk, characters, count * text->kind))
		return false;
	for (size_t i = 0; i < count && *used + 4 <= HC_PYTHON_TEXT; i++) {
		uint32_t c = text->kind == 1   ? ((const uint8_t *)characters)[i]
		             : text->kind == 2 ? ((const uint16_t *)characters)[i]
		                               : ((const uint32_t *)characters)[i];
		*used += put_utf8(to + *used, c);
	}
	return true;
}

struct table {
	const uint8_t *byte, *end;
};

static uint32_t take_varint(struct table *table)
{
	uint32_t value = 0;
	for (unsigned shift = 0; table->byte < table->end && shift < 32; shift += 6) {
		uint8_t byte = *table->byte++;
		value |= (uint32_t)(byte & 0x3f) << shift;
		if (!(byte & 0x40))
			break;
	}
	return value;
}

/* The step from one entry's line to the next one's; what follows in the entry is columns,
 * in bytes without the mark of a beginning. */
static int32_t take_step(struct table *table, unsigned kind, bool *no_line)
{
	enum { ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14, NONE = 15 };
	*no_line = kind == NONE;
	if (kind == NO_COLUMNS || kind == LONG) {
		uint32_t value = take_varint(table);
		return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
	}
	return kind >= ONE_LINE && kind < NO_COLUMNS ? (int32_t)(kind - ONE_LINE) : 0;
}

/* Objects/locations.md of CPython: entries of a beginning (1, four bits of kind, three of
 * how many code units less one) and what follows. 0: not known. */
static uint32_t line_of(struct hc_python_walk *walk, const struct code *code, size_t unit)
{
	const struct var_object *bytes = object_at(walk, code->line_table, BYTES_HEAD, PyBytes_Type);
	if (!bytes || bytes->size < 0 || bytes->size > TABLE_MAX ||
	    !can_read(walk, code->line_table + BYTES_HEAD, (size_t)bytes->size))
		return 0;
	struct table table = { (const uint8_t *)code->line_table + BYTES_HEAD, NULL };
	table.end = table.byte + bytes->size;
	int32_t line = code->first_line;
	for (size_t from = 0; table.byte < table.end;) {
		bool no_line;
		uint8_t first = *table.byte++;
		if (!(first & 0x80))
			return 0;
		line += take_step(&table, first >> 3 & 15, &no_line);
		while (table.byte < table.end && !(*table.byte & 0x80))
			table.byte++;
		from += (first & 7u) + 1;
		if (unit < from)
			return no_line || line < 0 ? 0 : (uint32_t)line;
	}
	return 0;
}

void hc_python_begin(struct hc_python_walk *walk)
{
	*walk = (struct hc_python_walk){ 0 };
	if (likely(!&Py_Version) || !PyGILState_GetThisThreadState || !&PyCode_Type || !&PyUnicode_Type ||
	    !&PyBytes_Type || Py_Version >> 16 != 0x030b || atomic_load(&hc_self.sandboxed))
		return;
	const struct thread_state *state = at(walk, (uintptr_t)PyGILState_GetThisThreadState(), sizeof *state);
	const struct cframe *cframe = state ? at(walk, state->cframe, sizeof *cframe) : NULL;
	walk->frame = cframe ? cframe->current_frame : 0;
}

bool hc_python_next(struct hc_python_walk *walk, struct hc_python_frame *found)
{
	for (; walk->frame && walk->steps < STEPS; walk->steps++) {
		const struct interpreter_frame *frame = at(walk, walk->frame, sizeof *frame);
		const struct code *code =
		    frame && frame->owner < OWNERS ? object_at(walk, frame->code, sizeof *code, PyCode_Type) : NULL;
		if (!code || code->head.size < 0)
			break;
		uintptr_t begin = frame->code + sizeof *code;
		walk->frame = frame->previous;
		/* one that has not begun yet stands before its first instruction */
		if (frame->instruction < begin)
			continue;
		size_t unit = (frame->instruction - begin) / CODE_UNIT;
		if (unit >= (size_t)code->head.size ||
		    !take_text(walk, code->filename, found->path, &found->path_size) ||
		    !take_text(walk, code->qualified_name, found->function, &found->function_size))
			break;
		found->line = line_of(walk, code, unit);
		walk->steps++;
		return true;
	}
	walk->frame = 0;
	return false;
}
#else
void hc_python_begin(struct hc_python_walk *walk)
{
	walk->frame = 0;
}

bool hc_python_next(struct hc_python_walk *walk, struct hc_python_frame *frame)
{
	(void)walk;
	(void)frame;
	return false;
}
#endif

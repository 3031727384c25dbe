#include "python.h"
#include "process.h"

#include <halfclose/cpython.h>

/* What the program may have: they are the interpreter's, and weak. */
extern const unsigned long Py_Version __attribute__((weak));
extern char PyCode_Type[] __attribute__((weak)), PyUnicode_Type[] __attribute__((weak)),
    PyBytes_Type[] __attribute__((weak));
void *PyGILState_GetThisThreadState(void) __attribute__((weak));

enum { PAGE = 4096, STEPS = 64 };

#if defined __LP64__
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
	const struct cpython_object *object = at(walk, address, size);
	return object && object->type == (uintptr_t)type ? object : NULL;
}

static bool take_text(struct hc_python_walk *walk, uintptr_t address, char *to, size_t *used)
{
	const struct cpython_unicode *text = object_at(walk, address, sizeof *text, PyUnicode_Type);
	uint64_t characters = text ? cpython_characters(text, address) : 0;
	*used = 0;
	if (!characters)
		return false;
	size_t count = (size_t)text->head.size < HC_PYTHON_TEXT ? (size_t)text->head.size : HC_PYTHON_TEXT;
	if (!can_read(walk, characters, count * text->kind))
		return false;
	*used = cpython_utf8((const void *)characters, text->kind, count, to, HC_PYTHON_TEXT);
	return true;
}

static uint32_t line_of(struct hc_python_walk *walk, const struct cpython_code *code, size_t unit)
{
	const struct cpython_var_object *bytes = object_at(walk, code->line_table, CPYTHON_BYTES_HEAD, PyBytes_Type);
	uintptr_t table = code->line_table + CPYTHON_BYTES_HEAD;
	if (!bytes || bytes->size < 0 || bytes->size > CPYTHON_SIZE_MAX || !can_read(walk, table, (size_t)bytes->size))
		return 0;
	return cpython_line((const uint8_t *)table, (size_t)bytes->size, code->first_line, unit);
}

void hc_python_begin(struct hc_python_walk *walk)
{
	*walk = (struct hc_python_walk){ 0 };
	if (likely(!&Py_Version) || !PyGILState_GetThisThreadState || !&PyCode_Type || !&PyUnicode_Type ||
	    !&PyBytes_Type || !CPYTHON_KNOWN(Py_Version) || atomic_load(&hc_self.sandboxed))
		return;
	const struct cpython_thread *state = at(walk, (uintptr_t)PyGILState_GetThisThreadState(), sizeof *state);
	const struct cpython_cframe *cframe = state ? at(walk, state->cframe, sizeof *cframe) : NULL;
	walk->frame = cframe ? cframe->current_frame : 0;
}

bool hc_python_next(struct hc_python_walk *walk, struct hc_python_frame *found)
{
	for (; walk->frame && walk->steps < STEPS; walk->steps++) {
		const struct cpython_frame *frame = at(walk, walk->frame, sizeof *frame);
		const struct cpython_code *code = frame && frame->owner < CPYTHON_OWNERS
		                                      ? object_at(walk, frame->code, sizeof *code, PyCode_Type)
		                                      : NULL;
		if (!code || code->head.size < 0)
			break;
		uintptr_t begin = frame->code + sizeof *code;
		walk->frame = frame->previous;
		/* one that has not begun yet stands before its first instruction */
		if (frame->instruction < begin)
			continue;
		size_t unit = (frame->instruction - begin) / CPYTHON_CODE_UNIT;
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

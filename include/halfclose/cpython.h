/*
 * CPython 3.11, as it lies in memory (64-bit machines; Include/internal and
 * Include/cpython of its sources, checked with gdb's ptype /o): the first bytes of each
 * struct, as far as they are needed. The library reads its own process by it, the
 * command others.
 */
#ifndef HALFCLOSE_CPYTHON_H
#define HALFCLOSE_CPYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPYTHON_KNOWN(version) ((version) >> 16 == 0x030b) /* of Py_Version */

struct cpython_object {
	uint64_t references;
	uint64_t type;
};

struct cpython_var_object {
	struct cpython_object object;
	int64_t size;
};

struct cpython_runtime {
	uint64_t before[5];
	uint64_t interpreters;
};

struct cpython_interpreter {
	uint64_t next, before, threads;
};

struct cpython_thread {
	uint64_t previous, next, before[5];
	uint64_t cframe;
	uint64_t more[12];
	uint64_t native_id; /* as gettid() has it */
};

struct cpython_cframe {
	uint64_t use_tracing;
	uint64_t current_frame;
};

struct cpython_frame {
	uint64_t function, globals, builtins, locals;
	uint64_t code;
	uint64_t frame_object;
	uint64_t previous, instruction; /* instruction: the one that is being executed */
	int32_t stack_top;
	uint8_t is_entry, owner;
};

struct cpython_code {
	struct cpython_var_object head; /* its size: of the instructions, in code units */
	uint64_t constants, names, exception_table;
	int32_t flags, warmup, arguments, positional_only, keyword_only, stack_size, first_line, locals_plus[5];
	uint64_t local_names, local_kinds;
	uint64_t filename, name, qualified_name, line_table;
	uint64_t weak_references, bytes, line_array, first_traceable, extra;
	/* the instructions follow */
};
_Static_assert(offsetof(struct cpython_code, first_line) == 72 && offsetof(struct cpython_code, filename) == 112 &&
                   sizeof(struct cpython_code) == 184 && offsetof(struct cpython_frame, owner) == 69 &&
                   offsetof(struct cpython_thread, cframe) == 56 && offsetof(struct cpython_thread, native_id) == 160,
               "as gdb's ptype /o has it");

struct cpython_unicode {
	struct cpython_var_object head; /* its size: in characters */
	uint64_t hash;
	uint32_t interned : 2, kind : 3, compact : 1, ascii : 1, ready : 1;
	uint64_t wide;
	/* ASCII: the characters follow; else three words more, and then they do */
};

enum {
	CPYTHON_UNICODE_MORE = 24,
	CPYTHON_BYTES_HEAD = sizeof(struct cpython_var_object) + 8,
	CPYTHON_CODE_UNIT = 2,
	CPYTHON_OWNERS = 3,
	CPYTHON_SIZE_MAX = 1 << 20, /* of texts and tables: more is no such object */
};

/* May its characters be read, and where do they lie? 0: they may not. */
static inline uint64_t cpython_characters(const struct cpython_unicode *text, uint64_t address)
{
	if (!text->compact || !text->ready || text->head.size < 0 || text->head.size > CPYTHON_SIZE_MAX ||
	    (text->kind != 1 && text->kind != 2 && text->kind != 4))
		return 0;
	return address + sizeof *text + (text->ascii ? 0 : CPYTHON_UNICODE_MORE);
}

static inline size_t cpython_put_utf8(char *to, uint32_t c)
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

/* How many bytes were put into `to`: no more than there is room for. */
static inline size_t cpython_utf8(const void *characters, unsigned kind, size_t count, char *to, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < count && used + 4 <= room; i++) {
		uint32_t c = kind == 1   ? ((const uint8_t *)characters)[i]
		             : kind == 2 ? ((const uint16_t *)characters)[i]
		                         : ((const uint32_t *)characters)[i];
		used += cpython_put_utf8(to + used, c);
	}
	return used;
}

/* A step from one entry's line to the next one's; what follows in the entry is columns,
 * in bytes without the mark of a beginning. */
static inline int32_t cpython_line_step(const uint8_t **byte, const uint8_t *end, unsigned kind)
{
	enum { ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14 };
	uint32_t value = 0;

	if (kind != NO_COLUMNS && kind != LONG)
		return kind >= ONE_LINE && kind < NO_COLUMNS ? (int32_t)(kind - ONE_LINE) : 0;
	for (unsigned shift = 0; *byte < end && shift < 32; shift += 6) {
		uint8_t is = *(*byte)++;

		value |= (uint32_t)(is & 0x3f) << shift;
		if (!(is & 0x40))
			break;
	}
	return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

/* Objects/locations.md of CPython: entries of a beginning (1, four bits of kind, three of
 * how many code units less one) and what follows. 0: not known. */
static inline uint32_t cpython_line(const uint8_t *byte, size_t size, int32_t first_line, size_t unit)
{
	enum { NO_LINE = 15 };
	const uint8_t *end = byte + size;
	uint32_t line = (uint32_t)first_line;

	for (size_t from = 0; byte < end;) {
		uint8_t first = *byte++;
		unsigned kind = first >> 3 & 15;

		if (!(first & 0x80))
			return 0;
		line += (uint32_t)cpython_line_step(&byte, end, kind);
		while (byte < end && !(*byte & 0x80))
			byte++;
		from += (first & 7u) + 1;
		if (unit < from)
			return kind == NO_LINE || line > INT32_MAX ? 0 : line;
	}
	return 0;
}

#endif

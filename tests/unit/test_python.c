/*
 * An interpreter's memory, right and wrong, made up by the test: what is as known is
 * walked, and anything else ends the walk, whatever it points to.
 * uses: python kernel libc process
 */
#include "process.h"
#include "python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

unsigned long Py_Version = 0x030b02f0;
char PyCode_Type[16], PyUnicode_Type[16], PyBytes_Type[16];
void *PyGILState_GetThisThreadState(void);

static uint64_t state[21], cframe[2];

void *PyGILState_GetThisThreadState(void)
{
	return state;
}

struct words { /* of an object: a word is a word */
	uint64_t at[64];
};

static struct words frames[3], code[3], table, names[4];

static uint64_t address(const void *of)
{
	return (uint64_t)(uintptr_t)of;
}

static void set_ascii(struct words *text, const char *string)
{
	memset(text, 0, sizeof *text);
	text->at[1] = address(PyUnicode_Type);
	text->at[2] = strlen(string);
	text->at[4] = 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7; /* a byte each, compact, ASCII, ready */
	memcpy(&text->at[6], string, strlen(string));
}

static void set_table(const uint8_t *bytes, size_t size)
{
	table.at[1] = address(PyBytes_Type);
	table.at[2] = size;
	memcpy(&table.at[4], bytes, size);
}

/* Three frames, each of which calls the one before it. */
static int set_up(void **unused)
{
	/* two units of line 10; one of 12; three without one; one of 9 by a long entry */
	static const uint8_t bytes[] = { 0x80 | 0 << 3 | 1, 0x00, 0x80 | 12 << 3 | 0, 1, 2, 0x80 | 15 << 3 | 2,
		                         0x80 | 14 << 3 | 0, 7, 0, 1, 1 };
	(void)unused;
	memset(frames, 0, sizeof frames);
	memset(code, 0, sizeof code);
	set_table(bytes, sizeof bytes);
	set_ascii(&names[0], "/app/server.py");
	set_ascii(&names[1], "Server.drop");
	state[7] = address(cframe);
	cframe[1] = address(&frames[0]);
	for (unsigned i = 0; i < 3; i++) {
		frames[i].at[4] = address(&code[i]);
		frames[i].at[6] = i < 2 ? address(&frames[i + 1]) : 0;
		frames[i].at[7] = address(&code[i]) + 184 + 2 * (i == 2 ? 6 : 2 * i);
		code[i].at[1] = address(PyCode_Type);
		code[i].at[2] = 20;
		code[i].at[9] = 10; /* its first line */
		code[i].at[14] = address(&names[0]);
		code[i].at[16] = address(&names[1]);
		code[i].at[17] = address(&table);
	}
	Py_Version = 0x030b02f0;
	return 0;
}

static unsigned count(void)
{
	struct hc_python_walk walk;
	struct hc_python_frame frame;
	unsigned n = 0;
	for (hc_python_begin(&walk); hc_python_next(&walk, &frame); n++)
		assert_true(n < 100);
	return n;
}

static void test_walk(void **unused)
{
	struct hc_python_walk walk;
	struct hc_python_frame frame;
	(void)unused;
	hc_python_begin(&walk);
	assert_true(hc_python_next(&walk, &frame));
	assert_int_equal(frame.line, 10);
	assert_int_equal(frame.path_size, 14);
	assert_memory_equal(frame.path, "/app/server.py", 14);
	assert_memory_equal(frame.function, "Server.drop", 11);
	assert_true(hc_python_next(&walk, &frame));
	assert_int_equal(frame.line, 12);
	assert_true(hc_python_next(&walk, &frame));
	assert_int_equal(frame.line, 9); /* 12, and by the long entry 3 back */
	assert_false(hc_python_next(&walk, &frame));
	assert_false(hc_python_next(&walk, &frame));
	frames[2].at[7] -= 2; /* in the entry that has no line */
	hc_python_begin(&walk);
	while (hc_python_next(&walk, &frame))
		;
	assert_int_equal(frame.line, 0);
}

static void test_not_begun(void **unused)
{
	(void)unused;
	frames[0].at[7] = address(&code[0]) + 184 - 2;
	assert_int_equal(count(), 2);
}

static void test_versions(void **unused)
{
	(void)unused;
	for (unsigned minor = 0; minor < 256; minor++) {
		Py_Version = 0x03000000u | minor << 16 | 0x02f0;
		assert_int_equal(count(), minor == 11 ? 3 : 0);
	}
	Py_Version = 0x040b02f0;
	assert_int_equal(count(), 0);
}

/* After its own filter the program's kernel is asked nothing. */
static void test_sandboxed(void **unused)
{
	(void)unused;
	atomic_store(&hc_self.sandboxed, true);
	assert_int_equal(count(), 0);
	atomic_store(&hc_self.sandboxed, false);
	assert_int_equal(count(), 3);
}

/* Each pointer in turn leads nowhere, to what can't be read, or to what is no such object. */
static void test_wrong_pointers(void **unused)
{
	char *none = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static struct words other;
	uint64_t *pointers[] = { &state[7],       &cframe[1],     &frames[0].at[4], &frames[0].at[6], &code[0].at[1],
		                 &code[0].at[14], &code[0].at[16], &names[0].at[1],  &names[1].at[1] };
	(void)unused;
	munmap(none + 4096, 4096);
	const uint64_t wrong[] = { 1,      8,  4095, address(none + 4096), address(none + 4096 - 8), UINT64_MAX & ~7ull, 1ull << 63,
		                   address(&other), address(none), address(&frames[0]) + 1 };
	for (unsigned i = 0; i < sizeof pointers / sizeof *pointers; i++) {
		for (unsigned k = 0; k < sizeof wrong / sizeof *wrong; k++) {
			uint64_t right = *pointers[i];
			*pointers[i] = wrong[k];
			assert_in_range(count(), 0, 1);
			*pointers[i] = right;
		}
	}
	/* without a table there are no lines, and all else */
	for (unsigned k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		code[0].at[17] = wrong[k];
		assert_int_equal(count(), 3);
	}
	munmap(none, 4096);
}

static void test_wrong_sizes(void **unused)
{
	static const uint64_t sizes[] = { UINT64_MAX, 1ull << 63, 1ull << 40, 1u << 21 };
	(void)unused;
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		set_up(NULL);
		names[0].at[2] = sizes[i];
		assert_int_equal(count(), 0);
		set_up(NULL);
		table.at[2] = sizes[i];
		assert_int_equal(count(), 3);
	}
	set_up(NULL);
	code[1].at[2] = UINT64_MAX;
	assert_int_equal(count(), 1);
	set_up(NULL);
	code[1].at[2] = 2; /* fewer instructions than where it is */
	assert_int_equal(count(), 1);
}

static void test_circle(void **unused)
{
	(void)unused;
	frames[2].at[6] = address(&frames[0]);
	assert_int_equal(count(), 64);
}

static void test_any_table(void **unused)
{
	uint8_t bytes[200];
	(void)unused;
	srand(3);
	for (unsigned round = 0; round < 20000; round++) {
		size_t size = (size_t)rand() % sizeof bytes;
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)rand();
		set_table(bytes, size);
		assert_int_equal(count(), 3);
	}
}

static void test_texts(void **unused)
{
	struct hc_python_walk walk;
	struct hc_python_frame frame;
	struct words *text = &names[1];
	(void)unused;
	/* not ASCII: three words more, and characters of 1, 2 or 4 bytes */
	text->at[4] = 1 << 2 | 1 << 5 | 1 << 7;
	text->at[2] = 3;
	memcpy(&text->at[9], "gr\xf6", 3);
	hc_python_begin(&walk);
	assert_true(hc_python_next(&walk, &frame));
	assert_int_equal(frame.function_size, 4);
	assert_memory_equal(frame.function, "gr\xc3\xb6", 4);
	text->at[4] = 2 << 2 | 1 << 5 | 1 << 7;
	memcpy(&text->at[9], (uint16_t[]){ 0x20ac, 'x', 0xf6 }, 6);
	hc_python_begin(&walk);
	assert_true(hc_python_next(&walk, &frame));
	assert_memory_equal(frame.function, "\xe2\x82\xac" "x\xc3\xb6", 6);
	text->at[4] = 4 << 2 | 1 << 5 | 1 << 7;
	text->at[2] = 1;
	memcpy(&text->at[9], (uint32_t[]){ 0x1f40d }, 4);
	hc_python_begin(&walk);
	assert_true(hc_python_next(&walk, &frame));
	assert_int_equal(frame.function_size, 4);
	assert_memory_equal(frame.function, "\xf0\x9f\x90\x8d", 4);
	text->at[4] = 3 << 2 | 1 << 5 | 1 << 7; /* there is no such kind */
	assert_int_equal(count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_walk, set_up),           cmocka_unit_test_setup(test_not_begun, set_up),
		cmocka_unit_test_setup(test_versions, set_up),       cmocka_unit_test_setup(test_wrong_pointers, set_up),
		cmocka_unit_test_setup(test_wrong_sizes, set_up),    cmocka_unit_test_setup(test_circle, set_up),
		cmocka_unit_test_setup(test_sandboxed, set_up),
		cmocka_unit_test_setup(test_any_table, set_up),      cmocka_unit_test_setup(test_texts, set_up),
	};
	hc_libc_resolve();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

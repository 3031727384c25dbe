/* Lines around a place in a source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>

#include "source.h"

static char place[] = "/tmp/halfclose-source-XXXXXX";

static const struct source_place nowhere;

static char *path_of(const char *name)
{
	return g_build_filename(place, name, NULL);
}

static struct excerpt *excerpt_of(const char *text, unsigned line, unsigned around)
{
	char *path = path_of("one.c");
	struct frame frame = { .file = path, .line = line };
	struct excerpt *excerpt;

	assert_true(g_file_set_contents(path, text, -1, NULL));
	excerpt = source_excerpt(&frame, &nowhere, around);
	g_free(path);
	return excerpt;
}

static void lines_around(void **state)
{
	struct excerpt *excerpt = excerpt_of("a\nb\r\nc\nd\ne", 3, 1);

	(void)state;
	assert_int_equal(excerpt->first, 2);
	assert_int_equal(excerpt->lines->len, 3);
	assert_string_equal(excerpt->lines->pdata[0], "b");
	assert_string_equal(excerpt->lines->pdata[1], "c");
	assert_string_equal(excerpt->lines->pdata[2], "d");
	excerpt_free(excerpt);
}

static void at_the_edges(void **state)
{
	struct excerpt *excerpt = excerpt_of("a\nb\nc", 1, 4);

	(void)state;
	assert_int_equal(excerpt->first, 1);
	assert_int_equal(excerpt->lines->len, 3);
	excerpt_free(excerpt);
	excerpt = excerpt_of("a\nb\nc", 3, 1);
	assert_int_equal(excerpt->first, 2);
	assert_string_equal(excerpt->lines->pdata[1], "c");
	excerpt_free(excerpt);
	excerpt = excerpt_of("a", 1, 0);
	assert_int_equal(excerpt->lines->len, 1);
	excerpt_free(excerpt);
}

static void a_line_that_is_not_there(void **state)
{
	(void)state;
	assert_null(excerpt_of("a\nb\nc\n", 4, 4));
	assert_null(excerpt_of("", 1, 4));
	assert_null(excerpt_of("a\n", 0, 4));
	assert_null(excerpt_of("a\n", UINT_MAX, 4));
}

static void a_long_line_is_cut(void **state)
{
	char *text = g_strnfill(100000, 'x');
	struct excerpt *excerpt = excerpt_of(text, 1, 1);

	(void)state;
	assert_true(strlen(excerpt->lines->pdata[0]) < 1000);
	excerpt_free(excerpt);
	g_free(text);
}

static void only_files_are_read(void **state)
{
	char *fifo = path_of("fifo");
	struct frame frame = { .file = fifo, .line = 1 };

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_null(source_excerpt(&frame, &nowhere, 1));
	frame.file = place;
	assert_null(source_excerpt(&frame, &nowhere, 1));
	frame.file = "/nonexistent/file.c";
	assert_null(source_excerpt(&frame, &nowhere, 1));
	g_unlink(fifo);
	g_free(fifo);
}

static void beside_and_above_the_program(void **state)
{
	char *program = path_of("build/bin/program"), *directory = path_of("build/bin"), *source = path_of("src/two.c"),
	     *sources = path_of("src");
	struct frame frame = { .file = "src/two.c", .line = 2, .module = program };
	struct utimbuf past = { 1000, 1000 };
	struct excerpt *excerpt;

	(void)state;
	g_mkdir_with_parents(directory, 0700);
	g_mkdir_with_parents(sources, 0700);
	assert_true(g_file_set_contents(program, "", -1, NULL) && g_file_set_contents(source, "1\n2\n", -1, NULL));
	assert_int_equal(utime(source, &past), 0);
	excerpt = source_excerpt(&frame, &nowhere, 0);
	assert_string_equal(excerpt->lines->pdata[0], "2");
	assert_string_equal(excerpt->path, source);
	assert_false(excerpt->newer);
	excerpt_free(excerpt);
	assert_int_equal(utime(program, &(struct utimbuf){ 500, 500 }), 0);
	excerpt = source_excerpt(&frame, &nowhere, 0);
	assert_true(excerpt->newer);
	excerpt_free(excerpt);
	frame.module = NULL;
	assert_null(source_excerpt(&frame, &nowhere, 0));
	for (uint64_t ran = 999000000000u; ran <= 1000000000000u; ran += 1000000000u) { /* it is of the year 1970 */
		excerpt = source_excerpt(&frame, &(struct source_place){ .root = place, .ran = ran }, 0);
		assert_string_equal(excerpt->path, source);
		assert_int_equal(excerpt->newer, ran < 1000000000000u);
		excerpt_free(excerpt);
	}
	g_free(program);
	g_free(directory);
	g_free(source);
	g_free(sources);
}

static int make_place(void **state)
{
	(void)state;
	return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
	static const char *const names[] = { "one.c", "build/bin/program", "build/bin", "build", "src/two.c", "src", "" };

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		char *path = path_of(names[i]);

		remove(path);
		g_free(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_around),         cmocka_unit_test(at_the_edges),
		cmocka_unit_test(a_line_that_is_not_there), cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(only_files_are_read),  cmocka_unit_test(beside_and_above_the_program),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}

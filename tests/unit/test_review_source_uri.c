/* Paths as URI references. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <glib.h>

#include "source_uri.h"

static void paths_become_references(void **state)
{
	static const struct {
		const char *path, *root, *uri;
		bool below;
	} rows[] = {
		{ "/src/a.c", "/src", "a.c", true },
		{ "/src/a.c", "/src/", "a.c", true },
		{ "/src/./sub/../a.c", "/src", "a.c", true },
		{ "/src/sub/a b%.c", "/src", "sub/a%20b%25.c", true },
		{ "/srcs/a.c", "/src", "file:///srcs/a.c", false },
		{ "/src", "/src", "file:///src", false },
		{ "/src/a.c", NULL, "file:///src/a.c", false },
		{ "/src/a.c", "/", "src/a.c", true },
		{ "sub/a.c", NULL, "sub/a.c", true },
		{ "./sub/a.c", "/src", "sub/a.c", true },
		{ "../../a.c", "/src", "a.c", true },
		{ "c:/a.c", NULL, "c%3A/a.c", true },
		{ "/\xc3\xa9/\xff?#[]", NULL, "file:///%C3%A9/%FF%3F%23%5B%5D", false },
	};

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		bool below = !rows[i].below;
		char *uri = source_uri(rows[i].path, rows[i].root, &below);

		assert_string_equal(uri, rows[i].uri);
		assert_int_equal(below, rows[i].below);
		g_free(uri);
	}
}

static void a_root_ends_with_a_slash(void **state)
{
	char *uri = source_root_uri("/a b"), *other = source_root_uri("/");

	(void)state;
	assert_string_equal(uri, "file:///a%20b/");
	assert_string_equal(other, "file:///");
	g_free(uri);
	g_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_become_references),
		cmocka_unit_test(a_root_ends_with_a_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

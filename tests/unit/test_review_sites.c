/* Stacks folded into the place that a person should look at. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sites.h"

#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"
#define PYTHON "/usr/bin/python3.11"

static GArray *stack(const struct frame *frames, unsigned count)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct frame));

	g_array_append_vals(list, frames, count);
	site_fold(list);
	return list;
}

#define STACK(frames) stack(frames, G_N_ELEMENTS(frames))

static void assert_place(GArray *site, const char *wanted)
{
	char *place = site_place(site);

	assert_string_equal(place, wanted);
	g_free(place);
	g_array_unref(site);
}

static void test_plain(void **state)
{
	const struct frame frames[] = {
		{ "fclose", NULL, 0, LIBC, 0x10, NULL },
		{ "serve", "/home/me/src/server.c", 12, "/opt/server", 0x20, NULL },
		{ "main", "/home/me/src/server.c", 40, "/opt/server", 0x30, NULL },
	};

	(void)state;
	assert_place(STACK(frames), "serve (src/server.c:12)");
}

static void test_no_names(void **state)
{
	const struct frame module[] = { { NULL, NULL, 0, "/opt/server", 0x20, NULL } },
			   bare[] = { { NULL, NULL, 0, NULL, 0x7f00, NULL } };
	const struct frame named[] = { { "serve", NULL, 0, "/opt/server", 0x20, NULL } };

	(void)state;
	assert_place(STACK(module), "server+0x20");
	assert_place(STACK(bare), "0x7f00");
	assert_place(STACK(named), "serve (server+0x20)");
}

/* The callers in a script stand behind all others; what a person looks for is where the
 * interpreter was. */
static void test_scripts(void **state)
{
	const struct frame frames[] = {
		{ "close", NULL, 0, LIBC, 0x10, NULL },
		{ "PQfinish", "/src/fe-connect.c", 7, "/usr/lib/libpq.so.5", 0x20, NULL },
		{ "sock_close", NULL, 0, PYTHON, 0x30, NULL },
		{ "_PyEval_EvalFrameDefault", NULL, 0, PYTHON, 0x40, NULL },
		{ "main", "/src/embed.c", 9, "/opt/embeds", 0x50, NULL },
		{ "socket._real_close", "/usr/lib/python3.11/socket.py", 494, NULL, 0, "python" },
		{ "Server.drop", "/app/server.py", 12, NULL, 0, "python" },
		{ NULL, NULL, 0, NULL, 0, "python" },
	};
	static const char *const places[] = { "PQfinish (src/fe-connect.c:7)", "python: Server.drop (app/server.py:12)",
		                              "python: ?", "sock_close (python3.11+0x30)", "main (src/embed.c:9)" };
	GArray *site = STACK(frames);

	(void)state;
	assert_int_equal(site->len, G_N_ELEMENTS(places));
	for (unsigned i = 0; i < site->len; i++) {
		char *text = site_frame(&g_array_index(site, struct frame, i));

		assert_string_equal(text, places[i]);
		g_free(text);
	}
	g_array_unref(site);
	site = stack(&frames[5], 1); /* a wrapper is better than nothing */
	assert_place(site, "python: socket._real_close (python3.11/socket.py:494)");
}

static void test_only_libc(void **state)
{
	const struct frame frames[] = { { "exit", NULL, 0, LIBC, 0x10, NULL } };

	(void)state;
	assert_place(STACK(frames), "exit (libc.so.6+0x10)");
}

static void test_cpython(void **state)
{
	const struct frame frames[] = {
		{ "sock_close", "../Modules/socketmodule.c", 3162, PYTHON, 0x10, NULL },
		{ "method_vectorcall_NOARGS", NULL, 0, PYTHON, 0x20, NULL },
		{ "__libc_start_main", NULL, 0, LIBC, 0x30, NULL },
		{ "_start", NULL, 0, PYTHON, 0x40, NULL },
	};
	GArray *site = STACK(frames);

	(void)state;
	assert_int_equal(site->len, 1);
	assert_place(site, "CPython's socket.close (sock_close, Modules/socketmodule.c:3162), called from Python code "
	                   "whose line is not visible from C");
}

static void test_interpreter_without_names(void **state)
{
	const struct frame frames[] = {
		{ NULL, NULL, 0, PYTHON, 0x1fa965, NULL },
		{ "PyObject_Vectorcall", NULL, 0, PYTHON, 0x20, NULL },
	};

	(void)state;
	assert_place(STACK(frames),
	             "CPython (python3.11+0x1fa965), called from Python code whose line is not visible from C");
}

/* An extension of its own within an interpreter is the place. */
static void test_extension(void **state)
{
	const struct frame frames[] = {
		{ "pool_close", "pool.c", 7, "/usr/lib/python3/dist-packages/pool.so", 0x10, NULL },
		{ "cfunction_call", NULL, 0, PYTHON, 0x20, NULL },
	};
	GArray *site = STACK(frames);

	(void)state;
	assert_int_equal(site->len, 2);
	assert_place(site, "pool_close (pool.c:7)");
}

static void test_keys(void **state)
{
	const struct frame a[] = { { "f", "x.c", 1, "/a", 1, NULL }, { "g", "x.c", 2, "/a", 2, NULL } };
	const struct frame b[] = { { "f", "x.c", 1, "/a", 1, NULL }, { "h", "x.c", 3, "/a", 3, NULL } };
	GArray *one = STACK(a), *same = STACK(a), *other = STACK(b);
	char *key_one = site_key(one), *key_same = site_key(same), *key_other = site_key(other);

	(void)state;
	assert_string_equal(key_one, key_same);
	assert_string_not_equal(key_one, key_other);
	g_free(key_one);
	g_free(key_same);
	g_free(key_other);
	g_array_unref(one);
	g_array_unref(same);
	g_array_unref(other);
}

static void test_no_stack(void **state)
{
	GArray *site = stack(NULL, 0);

	(void)state;
	assert_null(site_place(site));
	g_array_unref(site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_only_libc),
		cmocka_unit_test(test_cpython),
		cmocka_unit_test(test_interpreter_without_names),
		cmocka_unit_test(test_extension),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_no_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

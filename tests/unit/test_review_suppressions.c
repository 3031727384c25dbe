/* Patterns, and which finding a suppression holds for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>

#include "glob.h"
#include "suppressions.h"
#include "symbols.h"

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool plain, path;
	} rows[] = {
		{ "serve", "serve", true, true },
		{ "serve", "server", false, false },
		{ "serve*", "server", true, true },
		{ "*", "", true, true },
		{ "?", "", false, false },
		{ "?", "\xc3\xa9", true, true },
		{ "a*b*c", "aXbXbXc", true, true },
		{ "a*b*c", "aXcXb", false, false },
		{ "\\*", "*", true, true },
		{ "\\*", "x", false, false },
		{ "a\\", "a\\", true, true },
		{ "operator[]", "operator[]", true, true },
		{ "server.c", "/src/server.c", false, true },
		{ "src/server.c", "/a/src/server.c", false, true },
		{ "/src/server.c", "/a/src/server.c", false, false },
		{ "src/*", "/a/src/b/c.c", false, true },
		{ "rver.c", "/src/server.c", false, false },
		{ "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false,
		  false },
	};

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		assert_int_equal(glob_match(rows[i].pattern, rows[i].text), rows[i].plain);
		assert_int_equal(glob_match_path(rows[i].pattern, rows[i].text), rows[i].path);
	}
}

static void patterns_of_texts_match_them(void **state)
{
	static const char *const texts[] = { "serve",       "a*b?c\\d", " edge ",          "two  words", "\xc3\xa9t\xc3\xa9",
		                             "a\nb\xff\xfe", "\x1b[31m", "f<int>(T) [a = b]", "",           "# no comment",
		                             "a*\nb" };

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		char *pattern = glob_of(texts[i]);

		assert_true(glob_match(pattern, texts[i]));
		assert_false(glob_match(pattern, *texts[i] ? "other" : "x"));
		assert_null(strchr(pattern, '\n'));
		g_free(pattern);
	}
}

static struct event *close_event(void)
{
	struct event *event = g_new0(struct event, 1);

	event->kind = HC_EVENT_close;
	event->close.how = (uint8_t)value_named(FIELD_how, "fclose");
	return event;
}

static struct hc_address address(int family, const char *ip, uint16_t port)
{
	struct hc_address to = { .family = (uint16_t)family, .port = port };

	assert_int_equal(inet_pton(family, ip, to.ip), 1);
	return to;
}

/* One connection, closed in inner() <- serve() <- main(). */
static bool is_suppressed(const char *keys)
{
	static const struct frame frames[] = {
		{ .function = "fclose", .module = "/lib/libc.so.6" },
		{ .function = "inner", .module = "/opt/app", .file = "/src/net/inner.c", .line = 3 },
		{ .function = "serve", .module = "/opt/app", .file = "serve.c", .line = 9 },
		{ .module = "/opt/plugin.so", .offset = 4 },
		{ .function = "main", .module = "/opt/app" },
	};
	struct connection connection = { .program = "/opt/app",
		                         .close = close_event(),
		                         .local = address(AF_INET, "10.0.0.1", 8080),
		                         .peer = address(AF_INET6, "::ffff:192.168.7.9", 40000) };
	struct suppressions *suppressions = suppressions_new();
	char *text = g_strconcat("[it]\n", keys, NULL);
	GArray *stack = g_array_new(FALSE, FALSE, sizeof(struct frame));
	bool is;

	g_array_append_vals(stack, frames, G_N_ELEMENTS(frames));
	assert_true(suppressions_parse(suppressions, "file", text, strlen(text)));
	is = suppressions_match(suppressions, &rules[0], &connection, stack);
	assert_int_equal(suppressions->used, is);
	g_array_unref(stack);
	g_free(connection.close);
	g_free(text);
	suppressions_free(suppressions);
	return is;
}

static void all_keys_must_hold(void **state)
{
	static const struct {
		const char *keys;
		bool is;
	} rows[] = {
		{ "rule = unread-close", true },
		{ "rule=*-close", true },
		{ "rule = linger-close", false },
		{ "rule = linger-close\nrule = unread-close", true },
		{ "rule = unread-close\nprogram = other", false },
		{ "program = app", true },
		{ "program = /opt/*", true },
		{ "program = pp", false },
		{ "how = fclose", true },
		{ "how = close", false },
		{ "port = 8080", true },
		{ "port = 40000", true },
		{ "port = 8000-8079", false },
		{ "port = 8000-8080", true },
		{ "peer = 192.168.0.0/16", true },
		{ "peer = 192.168.7.8/31", true },
		{ "peer = 192.168.7.8", false },
		{ "peer = 0.0.0.0/0", true },
		{ "peer = ::/0", false },
		{ "peer = 10.0.0.1", false },
		{ "peer = 1.2.3.4\n peer = 192.168.7.9", true },
		{ "function = inner", true },
		{ "function = inn?r\nfunction = main", true },
		{ "function = serve\nfunction = inner", false },
		{ "function = inner\nfunction = inner", false },
		{ "function = *\nfunction = *\nfunction = *\nfunction = *", true },
		{ "function = *\nfunction = *\nfunction = *\nfunction = *\nfunction = *", false },
		{ "function = inner\nfile = inner.c\nmodule = app", true },
		{ "function = inner\nfile = serve.c", true },
		{ "file = serve.c\nfunction = inner", false },
		{ "file = net/*", true },
		{ "module = plugin.so", true },
		{ "module = plugin.so\nmodule = app\nfunction = main", true },
		{ "module = plugin.so\nfunction = serve", false },
		{ "# only main\r\n\tfunction\t=\tmain \r\n\r\n", true },
	};

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		if (is_suppressed(rows[i].keys) != rows[i].is)
			fail_msg("%s", rows[i].keys);
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const texts[] = { "x",
		                             "rule = unread-close",
		                             "[a]",
		                             "[a]\n[b]\nrule = *",
		                             "[a\nrule = *",
		                             "[a]\nrule",
		                             "[a]\nrule =",
		                             "[a]\nrule = nosuch",
		                             "[a]\nrulo = unread-close",
		                             "[a]\nport = 65536",
		                             "[a]\nport = 2-1",
		                             "[a]\nport = 99999999999999999999",
		                             "[a]\nport = x",
		                             "[a]\nport = 1-",
		                             "[a]\npeer = 1.2.3",
		                             "[a]\npeer = 1.2.3.4/33",
		                             "[a]\npeer = ::1/129",
		                             "[a]\npeer = ::1/",
		                             "[a]\nrule = unread-close\xff",
		                             "[a]\n= b" };

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct suppressions *suppressions = suppressions_new();

		if (suppressions_parse(suppressions, "file", texts[i], strlen(texts[i])))
			fail_msg("%s", texts[i]);
		suppressions_free(suppressions);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(patterns_of_texts_match_them),
		cmocka_unit_test(all_keys_must_hold),
		cmocka_unit_test(what_is_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

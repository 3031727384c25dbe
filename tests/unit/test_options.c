/* uses: options only text */
#include "only.h"
#include "options.h"
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

static char said[1000];

static void hear(const char *line)
{
	strncat(said, line, sizeof said - strlen(said) - 2);
	strcat(said, "\n");
}

#define READ(...) \
	do { \
		char *const envp[] = { __VA_ARGS__, NULL }; \
		said[0] = '\0'; \
		hc_options_read(envp, hear); \
	} while (0)

static void unset_options_have_their_defaults(void **state)
{
	(void)state;
	READ("PATH=/bin", "HALFCLOSE=1");
	assert_string_equal(said, "");
	assert_false(hc_options.OFF);
	assert_null(hc_options.LOG);
	assert_int_equal(hc_options.LOG_MAX, 1u << 30);
	assert_int_equal(hc_options.WARN, HC_WARN_AUTO);
	assert_int_equal(hc_options.STACK, HC_STACK_FINDINGS);
	assert_int_equal(hc_options.STACK_DEPTH, 24);
	assert_int_equal(hc_options.SOCKETS, HC_SOCKETS_TCP);
	assert_null(hc_options.ONLY);
}

static void values_are_read(void **state)
{
	(void)state;
	READ("HALFCLOSE_OFF=1", "HALFCLOSE_LOG=/x", "HALFCLOSE_LOG_MAX=64m", "HALFCLOSE_WARN=off", "HALFCLOSE_STACK=all",
	     "HALFCLOSE_STACK_DEPTH=64", "HALFCLOSE_SOCKETS=tcp,unix", "HALFCLOSE_ONLY=port=80");
	assert_string_equal(said, "");
	assert_true(hc_options.OFF);
	assert_string_equal(hc_options.LOG, "/x");
	assert_int_equal(hc_options.LOG_MAX, 64u << 20);
	assert_int_equal(hc_options.WARN, HC_WARN_OFF);
	assert_int_equal(hc_options.STACK, HC_STACK_ALL);
	assert_int_equal(hc_options.STACK_DEPTH, 64);
	assert_int_equal(hc_options.SOCKETS, HC_SOCKETS_TCP_UNIX);
}

static void lists_and_durations_are_read(void **state)
{
	static const struct {
		const char *value;
		unsigned bits;
	} lists[] = {
		{ "off", 0 },
		{ "unread", HC_GRACEFUL_UNREAD },
		{ "late,unread", HC_GRACEFUL_UNREAD | HC_GRACEFUL_LATE },
		{ "all", HC_GRACEFUL_UNREAD | HC_GRACEFUL_LATE | HC_GRACEFUL_LINGER0 },
		{ "rdwr", HC_GRACEFUL_RDWR },
		{ "all,rdwr", HC_GRACEFUL_UNREAD | HC_GRACEFUL_LATE | HC_GRACEFUL_LINGER0 | HC_GRACEFUL_RDWR },
		{ "linger0;77,5,9", HC_GRACEFUL_LINGER0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char variable[100] = "HALFCLOSE_GRACEFUL=";
		strcat(variable, lists[i].value);
		READ(variable);
		assert_string_equal(said, "");
		assert_int_equal(hc_options.GRACEFUL, lists[i].bits);
	}
	READ("HALFCLOSE_DRAIN=wait", "HALFCLOSE_DRAIN_QUIET=250ms", "HALFCLOSE_DRAIN_TIME=2m", "HALFCLOSE_DRAIN_BYTES=1M");
	assert_string_equal(said, "");
	assert_int_equal(hc_options.DRAIN, HC_DRAIN_WAIT);
	assert_int_equal(hc_options.DRAIN_QUIET, 250000000);
	assert_int_equal(hc_options.DRAIN_TIME, 120000000000);
	assert_int_equal(hc_options.DRAIN_BYTES, 1 << 20);
	READ("X=");
	assert_int_equal(hc_options.GRACEFUL, 0);
	assert_int_equal(hc_options.DRAIN, HC_DRAIN_HELPER);
	assert_int_equal(hc_options.DRAIN_QUIET, 2000000000);
	assert_int_equal(hc_options.DRAIN_TIME, 30000000000);
}

static void an_empty_value_is_unset(void **state)
{
	(void)state;
	READ("HALFCLOSE_LOG=", "HALFCLOSE_STACK=", "HALFCLOSE_OFF=");
	assert_string_equal(said, "");
	assert_null(hc_options.LOG);
	assert_int_equal(hc_options.STACK, HC_STACK_FINDINGS);
}

static void a_bad_value_is_named_with_its_default(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"STACK=some", "STACK_DEPTH=0", "STACK_DEPTH=65", "STACK_DEPTH=4x", "LOG_MAX=0", "LOG_MAX=1X", "LOG_MAX=-1",
		"LOG_MAX=99999999999999999999", "LOG_MAX=18446744073709551615", "LOG_MAX=1GG", "WARN=stdout", "OFF=yes",
		"SOCKETS=udp", "ONLY=name=x", "ONLY=port=70000", "ONLY=port=9-1", "ONLY=peer=1.2.3", "ONLY=peer=1.2.3.4/33",
		"ONLY=peer=::1::",
		"GRACEFUL=some", "GRACEFUL=unread,", "GRACEFUL=,late", "GRACEFUL=unread late", "GRACEFUL=off,late",
		"DRAIN=helpers", "DRAIN_QUIET=2", "DRAIN_QUIET=2h", "DRAIN_TIME=s", "DRAIN_TIME=99999999999999s", "ONLY=peer=1:2:3:4:5:6:7:8:9", "ONLY=port=", "ONLY=port=80,peer=300.1.1.1",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char variable[100] = "HALFCLOSE_";
		strcat(variable, bad[i]);
		READ(variable);
		assert_non_null(strstr(said, bad[i]));
		assert_non_null(strstr(said, " is used\n"));
		assert_int_equal(hc_options.STACK_DEPTH, 24);
		assert_int_equal(hc_options.LOG_MAX, 1u << 30);
		assert_null(hc_options.ONLY);
		assert_int_equal(hc_options.GRACEFUL, 0);
		assert_int_equal(hc_options.DRAIN_QUIET, 2000000000);
	}
}

static void an_unknown_name_gets_its_nearest(void **state)
{
	(void)state;
	READ("HALFCLOSE_STAK=all");
	assert_string_equal(said, "HALFCLOSE_STAK: no such option; the nearest is HALFCLOSE_STACK\n");
	READ("HALFCLOSE_SOMETHINGELSE=all");
	assert_string_equal(said, "HALFCLOSE_SOMETHINGELSE: no such option\n");
}

static struct hc_address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct hc_address){ AF_INET, port, 0, { a, b, c, d } };
}

static bool meets(const char *only, struct hc_address local, struct hc_address peer)
{
	hc_options.ONLY = only;
	return hc_only_is_readable(only) && hc_only_connection(&local, &peer);
}

static void filters_meet_ports_and_prefixes(void **state)
{
	(void)state;
	struct hc_address local = v4(127, 0, 0, 1, 80), peer = v4(10, 1, 2, 3, 4000);
	struct hc_address v6 = { AF_INET6, 9, 0, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	struct hc_address mapped = { AF_INET6, 9, 0, { [10] = 0xff, 0xff, 10, 1, 2, 3 } };

	assert_true(meets("port=80", local, peer));
	assert_true(meets("port=4000", local, peer));
	assert_true(meets("port=79-81", local, peer));
	assert_false(meets("port=81", local, peer));
	assert_true(meets("port=81,port=80", local, peer));
	assert_true(meets("peer=10.0.0.0/8", local, peer));
	assert_true(meets("peer=10.1.2.3", local, peer));
	assert_false(meets("peer=10.1.2.2", local, peer));
	assert_true(meets("peer=10.1.2.2/31", local, peer));
	assert_false(meets("peer=10.1.2.0/24,port=81", local, peer));
	assert_true(meets("peer=0.0.0.0/0", local, peer));
	assert_true(meets("peer=2001:db8::1", local, v6));
	assert_true(meets("peer=2001:db8::/32", local, v6));
	assert_false(meets("peer=2001:db9::/32", local, v6));
	assert_true(meets("peer=10.0.0.0/8", local, mapped));
	assert_true(meets("exe=x", local, peer));
}

static void filters_meet_programs(void **state)
{
	(void)state;
	hc_options.ONLY = "exe=nginx,exe=/usr/bin/curl";
	assert_true(hc_only_program("/usr/sbin/nginx"));
	assert_true(hc_only_program("/usr/bin/curl"));
	assert_false(hc_only_program("/opt/bin/curl"));
	assert_false(hc_only_has_names());
	hc_options.ONLY = "port=1";
	assert_true(hc_only_program("/usr/bin/anything"));
	assert_true(hc_only_has_names());
}

static void addresses_are_written_as_rfc_5952_says(void **state)
{
	(void)state;
	static const struct { struct hc_address address; const char *text; } rows[] = {
		{ { AF_INET, 80, 0, { 127, 0, 0, 1 } }, "127.0.0.1:80" },
		{ { AF_INET6, 80, 0, { [15] = 1 } }, "[::1]:80" },
		{ { AF_INET6, 80, 0, { 0 } }, "[::]:80" },
		{ { AF_INET6, 1, 0, { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, "[2001:db8::1]:1" },
		{ { AF_INET6, 1, 0, { 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0 } }, "[1:0:2::3:0:0]:1" },
		{ { AF_INET6, 1, 0, { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 } }, "[1:2:3:4:5:6:7:8]:1" },
		{ { AF_INET6, 1, 0, { 0, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 } }, "[1:0:3:4:5:6:7:8]:1" },
		{ { AF_INET6, 1, 0, { 0xfe, 0x80 } }, "[fe80::]:1" },
		{ { AF_INET6, 1, 0, { [10] = 0xff, 0xff, 1, 2, 3, 4 } }, "[::ffff:1.2.3.4]:1" },
		{ { 0 }, "?" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct hc_text text = { 0 };
		hc_put_address(&text, &rows[i].address);
		assert_string_equal(text.bytes, rows[i].text);
	}
}

static void text_is_cut_and_cleaned(void **state)
{
	(void)state;
	struct hc_text text = { 0 };
	hc_put_grouped(&text, 1234567);
	hc_put_bytes(&text, "\033[2J\n", 5);
	hc_put_hex(&text, 0xabc);
	assert_string_equal(text.bytes, "1,234,567?[2J?0xabc");
	for (int i = 0; i < 1000; i++)
		hc_put(&text, "x");
	assert_int_equal(text.used, sizeof text.bytes - 1);
	assert_int_equal(text.bytes[sizeof text.bytes - 1], '\0');
}

static void the_options_that_were_set_are_listed(void **state)
{
	(void)state;
	char text[40];
	char *const envp[] = { "A=1", "HALFCLOSE_LOG=/x", "HALFCLOSE_STACK=all",
			       "HALFCLOSE_ONLY=exe=a-name-that-is-too-long", NULL };
	size_t n = hc_options_text(envp, text, sizeof text);
	assert_int_equal(n, strlen("LOG=/x STACK=all"));
	assert_memory_equal(text, "LOG=/x STACK=all", n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unset_options_have_their_defaults),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(lists_and_durations_are_read),
		cmocka_unit_test(an_empty_value_is_unset),
		cmocka_unit_test(a_bad_value_is_named_with_its_default),
		cmocka_unit_test(an_unknown_name_gets_its_nearest),
		cmocka_unit_test(filters_meet_ports_and_prefixes),
		cmocka_unit_test(filters_meet_programs),
		cmocka_unit_test(addresses_are_written_as_rfc_5952_says),
		cmocka_unit_test(text_is_cut_and_cleaned),
		cmocka_unit_test(the_options_that_were_set_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is printed: safe text, numbers, wrapped lines, JSON, near names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "json.h"
#include "paragraph.h"
#include "say.h"

static void assert_said(char *text, const char *wanted)
{
	assert_string_equal(text, wanted);
	g_free(text);
}

static void test_text(void **state)
{
	(void)state;
	assert_said(say_text("plain", 5), "plain");
	assert_said(say_text("a\033[0mb\n", 7), "a\\x1b[0mb\\x0a");
	assert_said(say_text("caf\xc3\xa9", 5), "caf\xc3\xa9");
	assert_said(say_text("\xc3", 1), "\\xc3");
	assert_said(say_text("\xff\xfe", 2), "\\xff\\xfe");
	assert_said(say_text("a\0b", 3), "a\\x00b");
	assert_said(say_text("\xe2\x80\xae"
	                     "x",
	                     4),
	            "\\xe2\\x80\\xaex"); /* right-to-left override */
	assert_said(say_text("", 0), "");
}

static void test_numbers(void **state)
{
	struct hc_address four = { AF_INET, 80, 0, { 127, 0, 0, 1 } }, six = { AF_INET6, 80, 0, { [15] = 1 } },
			  none = { 0 };

	(void)state;
	assert_said(say_count(0), "0");
	assert_said(say_count(999), "999");
	assert_said(say_count(1000), "1,000");
	assert_said(say_count(UINT64_MAX), "18,446,744,073,709,551,615");
	assert_said(say_plural(1, "byte", "bytes"), "1 byte");
	assert_said(say_plural(2000, "byte", "bytes"), "2,000 bytes");
	assert_said(say_address(&four), "127.0.0.1:80");
	assert_said(say_address(&six), "[::1]:80");
	assert_null(say_address(&none));
	assert_said(say_error(104), "ECONNRESET");
	assert_said(say_error(4000000), "errno 4000000");
	assert_said(say_time(1700000000000000001u), "2023-11-14T22:13:20.000000001Z");
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "run", "report", "log", "help", NULL };

	(void)state;
	assert_string_equal(nearest("lgo", names), "log");
	assert_string_equal(nearest("rep", names), "report");
	assert_string_equal(nearest("reprot", names), "report");
	assert_null(nearest("zzzzzz", names));
}

static void test_paragraph(void **state)
{
	(void)state;
	assert_said(paragraph_wrap("ab ", "one two three", 11), "ab one two\n   three\n");
	assert_said(paragraph_wrap("", "unbreakablylongword x", 5), "unbreakablylongword\nx\n");
	assert_said(paragraph_cut("0123456789", 8), "01234...");
	assert_said(paragraph_cut("01234567", 8), "01234567");
}

static void test_json(void **state)
{
	struct json json = { .text = g_string_new(NULL) };

	(void)state;
	json_object(&json, NULL);
	json_bytes(&json, "a\"b", "x\0\n\xff\\", 5);
	json_array(&json, "list");
	json_number(&json, NULL, UINT64_MAX);
	json_object(&json, NULL);
	json_end_object(&json);
	json_end_array(&json);
	json_decimal(&json, "decimal", 1002003, 3);
	json_string(&json, "absent", NULL);
	json_end_object(&json);
	assert_string_equal(json.text->str, "{\"a\\\"b\": \"x\\u0000\\u000a\xef\xbf\xbd\\\\\", "
	                                    "\"list\": [18446744073709551615, {}], \"decimal\": 1002.003}");
	g_string_free(json.text, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),      cmocka_unit_test(test_numbers), cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_paragraph), cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* JSON that is read: what is one value, what its texts and numbers are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <glib.h>

#include "json.h"
#include "json_read.h"

static struct json_value *read_text(const char *text, unsigned *line)
{
	return json_read(text, strlen(text), line);
}

static void what_is_json(void **state)
{
	static const struct {
		const char *text;
		unsigned line; /* 0: it is */
	} rows[] = {
		{ "{}", 0 },
		{ " [ ] \r\n", 0 },
		{ "[1, -2, 3.5, 1e9, 1E-9, 0, -0.0]", 0 },
		{ "[true, false, null, \"\"]", 0 },
		{ "{\"a\": {\"b\": [{}]}}", 0 },
		{ "\"\\u00e9\\ud83d\\ude00\\n\\/\"", 0 },
		{ "", 1 },
		{ "{", 1 },
		{ "[1,]", 1 },
		{ "{\"a\"}", 1 },
		{ "{\"a\": 1,}", 1 },
		{ "{a: 1}", 1 },
		{ "[01]", 1 },
		{ "[1.]", 1 },
		{ "[.5]", 1 },
		{ "[+1]", 1 },
		{ "[1e]", 1 },
		{ "[-]", 1 },
		{ "\"\\x\"", 1 },
		{ "\"\\u12g4\"", 1 },
		{ "\"\\", 1 },
		{ "\"a\nb\"", 2 },
		{ "\"\xff\"", 1 },
		{ "{}\n{}", 2 },
		{ "[1,\n2,\nx]", 3 },
		{ "nul", 1 },
	};

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		unsigned line = 0;
		struct json_value *value = read_text(rows[i].text, &line);

		if (!value != !!rows[i].line || line != rows[i].line)
			fail_msg("%s: line %u", rows[i].text, line);
		json_value_free(value);
	}
}

static void depth_has_a_limit(void **state)
{
	GString *deep = g_string_new(NULL);
	unsigned line;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		g_string_append_c(deep, '[');
	assert_null(json_read(deep->str, deep->len, &line));
	g_string_free(deep, TRUE);
}

static void texts_and_numbers(void **state)
{
	unsigned line;
	struct json_value *value = read_text("{\"t\": \"a\\u00e9\\ud83d\\ude00\\ud83dx\\u0000\", \"n\": 18446744073709551615,"
	                                     "\"big\": 99999999999999999999, \"neg\": -5, \"frac\": 2.9, \"n\": 7}",
	                                     &line);

	(void)state;
	assert_non_null(value);
	assert_string_equal(json_text_of(value, "t"), "a\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd");
	assert_true(json_number_of(value, "n") == UINT64_MAX);
	assert_true(json_number_of(value, "big") == UINT64_MAX);
	assert_int_equal(json_number_of(value, "neg"), 0);
	assert_int_equal(json_number_of(value, "frac"), 2);
	assert_int_equal(json_number_of(value, "none"), 0);
	assert_null(json_text_of(value, "n"));
	assert_null(json_member(NULL, "n", JSON_NUMBER));
	json_value_free(value);
}

/* What json.c writes, json_read.c reads as it was. */
static void what_we_write(void **state)
{
	static const char text[] = "\"quoted\" back\\slash \n\x01\x7f \xc2\x85 \xf0\x9f\x98\x80";
	struct json json = { .text = g_string_new(NULL), .indent = 1 };
	struct json_value *value;
	unsigned line;

	(void)state;
	json_object(&json, NULL);
	json_string(&json, "text", text);
	json_number(&json, "number", 12345678901234567890u);
	json_decimal(&json, "decimal", 1002003, 3);
	json_bool(&json, "bool", TRUE);
	json_array(&json, "array");
	json_end_array(&json);
	json_end_object(&json);
	assert_non_null(strstr(json.text->str, "1002.003"));
	value = json_read(json.text->str, json.text->len, &line);
	assert_non_null(value);
	assert_string_equal(json_text_of(value, "text"), text);
	assert_true(json_number_of(value, "number") == 12345678901234567890u);
	assert_int_equal(json_number_of(value, "decimal"), 1002);
	assert_non_null(json_member(value, "bool", JSON_BOOL));
	assert_non_null(json_member(value, "array", JSON_ARRAY));
	json_value_free(value);
	g_string_free(json.text, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(texts_and_numbers),
		cmocka_unit_test(what_we_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

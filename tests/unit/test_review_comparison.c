/* Reports that are read back, from wherever they came: what is said of each, and what counts in it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "comparison.h"

#define FINDING(members) \
	"{\"fingerprint\": \"f\", \"rule\": \"r\", \"severity\": \"error\", \"exe\": \"/e\", \"place\": \"p\"" members \
	"}"
#define REPORT(members, findings) \
	"{\"schema\": 1, \"connections\": 10, \"totals\": {}" members ", \"findings\": [" findings "]}"
#define NO_REPORT "neither a recording of halfclose nor a report of it in JSON"
#define LACKS "a finding in it lacks what is to be compared"

static char *problem_of(const char *text, size_t size)
{
	struct comparison *comparison = comparison_new();
	char *problem = comparison_add_json(comparison, NOW, text, size);

	comparison_free(comparison);
	return problem;
}

static void what_is_said(void **state)
{
	static const struct {
		const char *text, *begin; /* NULL: it is a report; else how the problem begins */
	} rows[] = {
		{ REPORT("", ""), NULL },
		{ " \r\n\t" REPORT("", FINDING("") "," FINDING("")) "\n", NULL },
		{ REPORT(", \"more\": [null, true, -1.5e3, {\"\": \"\\ud83d\\ude00\\/\"}]", ""), NULL },
		{ "", "line 1 is no JSON: " },
		{ "{\n", "line 2 is no JSON: " },
		{ "{\"a\": [1,\n2,\nx]}", "line 3 is no JSON: invalid token near 'x'" },
		{ "{\"a\": 1,}", "line 1 is no JSON: " },
		{ "{a: 1}", "line 1 is no JSON: " },
		{ "{\"a\": 01}", "line 1 is no JSON: " },
		{ "{\"a\": .5}", "line 1 is no JSON: " },
		{ "{\"a\": \"\\x\"}", "line 1 is no JSON: invalid escape" },
		{ "{\"a\": \"\\u12g4\"}", "line 1 is no JSON: invalid escape" },
		{ "{\"a\": \"\\ud83dx\"}", "line 1 is no JSON: invalid Unicode" },
		{ "{\"a\": \"\\u0000\"}", "line 1 is no JSON: \\u0000 is not allowed" },
		{ "{\n\"a\": \"\xff\"}", "line 2 is no JSON: unable to decode byte 0xff" },
		{ "{\"a\": \"b\nc\"}", "line 1 is no JSON: unexpected newline" },
		{ "{\"a\": 1 /* one */}", "line 1 is no JSON: " },
		{ "var a = {}", "line 1 is no JSON: " },
		{ "{\"a\": 1,\n\"a\": 2}", "line 2 is no JSON: duplicate object key near '\"a\"'" },
		{ "{\"a\": 1e999}", "line 1 is no JSON: real number overflow near '1e999'" },
		{ REPORT("", "") "\n{}", "line 2 is no JSON: end of file expected" },
		{ "{}", NO_REPORT },
		{ "[]", NO_REPORT },
		{ "{\"schema\": 1, \"totals\": {}, \"findings\": []}", NO_REPORT },
		{ "{\"schema\": \"1\", \"connections\": 1, \"totals\": {}, \"findings\": []}", NO_REPORT },
		{ "{\"schema\": -1, \"connections\": 1, \"totals\": {}, \"findings\": []}", NO_REPORT },
		{ "{\"schema\": 1, \"connections\": 1, \"totals\": [], \"findings\": []}", NO_REPORT },
		{ "{\"schema\": 1, \"connections\": 1, \"totals\": {}, \"findings\": {}}", NO_REPORT },
		{ "{\"schema\": 2}", "the report's schema is 2; this halfclose reads up to 1" },
		{ "{\"schema\": 1e300}", "the report's schema is 18446744073709551615; " },
		{ REPORT("", "{}"), LACKS },
		{ REPORT("", "null"), LACKS },
		{ REPORT("", "[\"f\"]"), LACKS },
		{ REPORT("", "{\"fingerprint\": 1, \"rule\": \"r\", \"severity\": \"error\", \"exe\": \"/e\", "
		             "\"place\": \"p\"}"),
		  LACKS },
		{ REPORT("", "{\"fingerprint\": \"f\", \"rule\": \"r\", \"severity\": \"x\", \"exe\": \"/e\", "
		             "\"place\": \"p\"}"),
		  LACKS },
	};

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *problem = problem_of(rows[i].text, strlen(rows[i].text));

		if (!problem != !rows[i].begin || (problem && !g_str_has_prefix(problem, rows[i].begin)))
			fail_msg("%s: %s", rows[i].text, problem);
		g_free(problem);
	}
}

static void a_nul_in_it(void **state)
{
	static const char text[] = "{\"schema\": \"1\0\"}";
	char *problem = problem_of(text, sizeof(text) - 1);

	(void)state;
	assert_non_null(problem);
	assert_true(g_str_has_prefix(problem, "line 1 is no JSON: "));
	g_free(problem);
}

static void depth_has_a_limit(void **state)
{
	GString *deep = g_string_new("{\"a\":");
	char *problem;

	(void)state;
	for (unsigned i = 0; i < 1000000; i++)
		g_string_append(deep, i % 2 ? "[" : "{\"\":");
	problem = problem_of(deep->str, deep->len);
	assert_non_null(problem);
	assert_true(g_str_has_prefix(problem, "line 1 is no JSON: maximum parsing depth reached"));
	g_free(problem);
	g_string_free(deep, TRUE);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t count;
	} rows[] = {
		{ REPORT("", FINDING(", \"count\": 7")), 7 },
		{ REPORT("", FINDING(", \"count\": 9007199254740992")), 9007199254740992u }, /* 2^53 */
		{ REPORT("", FINDING(", \"count\": 18446744073709551616")), UINT64_MAX },
		{ REPORT("", FINDING(", \"count\": 99999999999999999999999999")), UINT64_MAX },
		{ REPORT("", FINDING(", \"count\": -5")), 0 },
		{ REPORT("", FINDING(", \"count\": 2.9")), 2 },
		{ REPORT("", FINDING(", \"count\": \"2\"")), 0 },
		{ REPORT("", FINDING("")), 0 },
		{ REPORT("", FINDING(", \"count\": 2") "," FINDING(", \"count\": 3")), 5 },
	};

	(void)state;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct comparison *comparison = comparison_new();
		const struct tally *tally;

		assert_null(comparison_add_json(comparison, NOW, rows[i].text, strlen(rows[i].text)));
		assert_int_equal(comparison->sides[NOW].connections, 10);
		assert_int_equal(comparison->list->len, 1);
		tally = comparison->list->pdata[0];
		assert_string_equal(tally->place, "p");
		if (tally->sides[NOW].count != rows[i].count)
			fail_msg("%s: %" G_GUINT64_FORMAT, rows[i].text, tally->sides[NOW].count);
		comparison_free(comparison);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said),
		cmocka_unit_test(a_nul_in_it),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

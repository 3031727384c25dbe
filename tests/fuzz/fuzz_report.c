/*
 * A report in JSON, as `halfclose diff` reads it: compared with itself nothing is
 * worse, and what is printed of it is plain, or JSON.
 */
#include "fuzz.h"

#include <glib.h>

#include "comparison_print.h"
#include "is_json.h"

static void print(const struct comparison *comparison, bool as_json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(as_json ? comparison_to_json : comparison_to_text)(comparison, SEVERITY_note, out);
	fclose(out);
	MUST(size && text[size - 1] == '\n' && g_utf8_validate_len(text, size, NULL));
	MUST(!as_json || is_json(text, size));
	for (const char *at = text; *at && !as_json; at = g_utf8_next_char(at))
		MUST(*at == '\n' || !g_unichar_iscntrl(g_utf8_get_char(at)));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct comparison *comparison = comparison_new();
	char *problem = comparison_add_json(comparison, BEFORE, text, size);
	char *again = comparison_add_json(comparison, NOW, text, size);

	MUST(!problem == !again);
	MUST(!problem || (*problem && !strchr(problem, '\n')));
	if (!problem) {
		comparison_judge(comparison, 0);
		MUST(comparison_worse(comparison, SEVERITY_note) == 0);
		MUST(comparison_count(comparison, CHANGE_better, SEVERITY_note) == 0);
		print(comparison, false);
		print(comparison, true);
	}
	g_free(problem);
	g_free(again);
	comparison_free(comparison);
	return 0;
}

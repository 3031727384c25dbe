/*
 * A file of suppressions -> conditions, held against one finding; and its bytes as a
 * name: the pattern that is made of it matches it, and stands in a file as it is.
 */
#include "fuzz.h"

#include <glib.h>

#include "glob.h"
#include "suppressions.h"
#include "symbols.h"

static void match(struct suppressions *suppressions)
{
	static const struct frame frames[] = {
		{ .function = "close", .module = "/lib/libc.so.6", .offset = 1 },
		{ .function = "f<int>(a b)", .module = "/opt/app", .file = "src/a.c", .line = 1 },
		{ .offset = 2 },
	};
	struct event *close = g_new0(struct event, 1);
	struct connection connection = { .program = "/opt/app", .close = close };
	GArray *stack = g_array_new(FALSE, FALSE, sizeof(struct frame));
	uint64_t used = 0;

	g_array_append_vals(stack, frames, G_N_ELEMENTS(frames));
	connection.peer.family = 2;
	for (const struct rule *rule = rules; rule->id; rule++)
		used += suppressions_match(suppressions, rule, &connection, stack);
	MUST(used == suppressions->used);
	for (unsigned i = 0; i < suppressions->list->len; i++)
		used -= ((const struct suppression *)suppressions->list->pdata[i])->used;
	MUST(used == 0);
	g_array_unref(stack);
	g_free(close);
}

static void make_one_of(const char *name)
{
	char *pattern = glob_of(name), *text = g_strdup_printf("[it]\nfunction = %s\n", pattern);
	struct suppressions *suppressions = suppressions_new();

	MUST(glob_match(pattern, name));
	if (*pattern)
		MUST(suppressions_parse(suppressions, "made", text, strlen(text)));
	suppressions_free(suppressions);
	g_free(text);
	g_free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct suppressions *suppressions = suppressions_new();
	char *name = g_strndup((const char *)data, MIN(size, 512));

	if (suppressions_parse(suppressions, "input", (const char *)data, size))
		match(suppressions);
	suppressions_free(suppressions);
	make_one_of(name);
	g_free(name);
	return 0;
}

#include "fingerprint.h"

#include <string.h>

#include "sites.h"

#define DIGITS 16u /* of 64: enough for the findings of one project */

static char *fingerprint_of(const struct finding *finding)
{
	const char *how = value_name(FIELD_how, finding->example.connection->close->close.how);
	char *program = g_path_get_basename(finding->program), *site = site_identity(finding->site);
	char *text = g_strjoin("\n", finding->rule->id, program, how ? how : "", site, NULL);
	char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	hash[DIGITS] = '\0';
	g_free(text);
	g_free(site);
	g_free(program);
	return hash;
}

static int by_source(const struct frame *a, const struct frame *b)
{
	int order = g_strcmp0(a->file, b->file);

	if (order == 0)
		order = a->line < b->line ? -1 : a->line > b->line;
	if (order == 0)
		order = a->offset < b->offset ? -1 : a->offset > b->offset;
	return order;
}

static int by_fingerprint(const void *left, const void *right)
{
	const struct finding *a = *(struct finding *const *)left, *b = *(struct finding *const *)right;
	int order = strcmp(a->fingerprint, b->fingerprint);

	for (unsigned i = 0; order == 0 && i < a->site->len && i < b->site->len; i++)
		order = by_source(&g_array_index(a->site, struct frame, i), &g_array_index(b->site, struct frame, i));
	return order ? order : strcmp(a->program, b->program);
}

void fingerprint_all(const struct findings *findings)
{
	GPtrArray *list = g_ptr_array_copy(findings->list, NULL, NULL);
	const struct finding *last = NULL;

	g_ptr_array_set_free_func(list, NULL);
	for (unsigned i = 0; i < list->len; i++) {
		struct finding *finding = list->pdata[i];

		g_free(finding->fingerprint);
		finding->fingerprint = fingerprint_of(finding);
	}
	g_ptr_array_sort(list, by_fingerprint);
	for (unsigned i = 0; i < list->len; i++) {
		struct finding *finding = list->pdata[i];

		finding->ordinal = last && !strcmp(last->fingerprint, finding->fingerprint) ? last->ordinal + 1 : 1;
		last = finding;
	}
	g_ptr_array_unref(list);
}

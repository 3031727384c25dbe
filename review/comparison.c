#include "comparison.h"

#include <jansson.h> /* reads; ours, json.h, writes, and the two share names */
#include <string.h>

static void tally_free(void *data)
{
	struct tally *tally = data;

	g_free(tally->fingerprint);
	g_free(tally->program);
	g_free(tally->place);
	g_free(tally);
}

struct comparison *comparison_new(void)
{
	struct comparison *comparison = g_new0(struct comparison, 1);

	comparison->list = g_ptr_array_new_with_free_func(tally_free);
	comparison->by_fingerprint = g_hash_table_new(g_str_hash, g_str_equal);
	return comparison;
}

void comparison_free(struct comparison *comparison)
{
	g_hash_table_unref(comparison->by_fingerprint);
	g_ptr_array_unref(comparison->list);
	g_free(comparison);
}

/* ---- adding up ---- */

static void set_text(char **to, const char *text)
{
	char *copy = g_strdup(text);

	g_free(*to);
	*to = copy;
}

static struct tally *tally_of(struct comparison *comparison, const char *fingerprint)
{
	struct tally *tally = g_hash_table_lookup(comparison->by_fingerprint, fingerprint);

	if (tally)
		return tally;
	tally = g_new0(struct tally, 1);
	tally->fingerprint = g_strdup(fingerprint);
	g_ptr_array_add(comparison->list, tally);
	g_hash_table_insert(comparison->by_fingerprint, tally->fingerprint, tally);
	return tally;
}

static void add(struct comparison *comparison, enum which which, const struct report *report)
{
	comparison->sides[which].processes += report->processes->count;
	comparison->sides[which].connections += report->count;
	comparison->sides[which].unread_bytes += report->unread_bytes;
	comparison->sides[which].unacked_bytes += report->unacked_bytes;
	comparison->sides[which].lost_events += report_lost(report);
	comparison->sides[which].damaged += report_damaged(report);
	for (unsigned i = 0; i < TEARDOWNS; i++)
		comparison->sides[which].teardowns[i] += report->teardowns[i];
}

void comparison_add(struct comparison *comparison, enum which which, const struct report *report)
{
	add(comparison, which, report);
	for (unsigned i = 0; i < report->findings->list->len; i++) {
		const struct finding *finding = report->findings->list->pdata[i];
		struct tally *tally = tally_of(comparison, finding->fingerprint);

		tally->rule = finding->rule->id;
		tally->severity = finding->rule->severity;
		set_text(&tally->program, finding->program);
		set_text(&tally->place, finding->place);
		tally->sides[which].count += finding->count;
		tally->sides[which].bytes += finding->bytes;
		tally->sides[which].unread += finding->unread;
	}
}

/* ---- a report read back: anybody may have written it ---- */

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* 0: none. What is below it is 0, too; fractions are cut off. */
static uint64_t number_of(const json_t *object, const char *name)
{
	double number = json_number_value(json_object_get(object, name));

	return number < 0x1p64 ? (uint64_t)MAX(number, 0) : UINT64_MAX;
}

static bool add_json_finding(struct comparison *comparison, enum which which, const json_t *finding)
{
	const char *fingerprint = text_of(finding, "fingerprint"), *rule = text_of(finding, "rule");
	const char *severity = text_of(finding, "severity"), *program = text_of(finding, "exe");
	const char *place = text_of(finding, "place");
	unsigned level = 0;
	struct tally *tally;

	while (severity && level < SEVERITIES && strcmp(severity_name(level), severity) != 0)
		level++;
	if (!fingerprint || !rule || !severity || level == SEVERITIES || !program || !place)
		return false;
	tally = tally_of(comparison, fingerprint);
	tally->rule = g_intern_string(rule);
	tally->severity = level;
	set_text(&tally->program, program);
	set_text(&tally->place, place);
	tally->sides[which].count += number_of(finding, "count");
	tally->sides[which].bytes += number_of(finding, "bytes");
	tally->sides[which].unread += number_of(finding, "unread");
	return true;
}

static void add_json_totals(struct comparison *comparison, enum which which, const json_t *report, const json_t *totals)
{
	const json_t *teardowns = json_object_get(totals, "teardown");

	comparison->sides[which].processes += number_of(report, "processes");
	comparison->sides[which].connections += number_of(report, "connections");
	comparison->sides[which].lost_events += number_of(report, "lost_events");
	comparison->sides[which].damaged += number_of(report, "damaged");
	comparison->sides[which].unread_bytes += number_of(totals, "unread_bytes");
	comparison->sides[which].unacked_bytes += number_of(totals, "unacked_bytes");
	for (unsigned i = 0; i < TEARDOWNS; i++)
		comparison->sides[which].teardowns[i] += number_of(teardowns, teardown_name(i));
}

static char *add_report(struct comparison *comparison, enum which which, const json_t *report)
{
	const json_t *totals = json_object_get(report, "totals"), *findings = json_object_get(report, "findings");
	uint64_t schema = number_of(report, "schema");

	if (schema > REPORT_SCHEMA)
		return g_strdup_printf("the report's schema is %" G_GUINT64_FORMAT "; this halfclose reads up to %u",
		                       schema, REPORT_SCHEMA);
	if (!schema || !json_is_object(totals) || !json_is_array(findings) ||
	    !json_is_number(json_object_get(report, "connections")))
		return g_strdup("neither a recording of halfclose nor a report of it in JSON");
	add_json_totals(comparison, which, report, totals);
	for (size_t i = 0; i < json_array_size(findings); i++)
		if (!add_json_finding(comparison, which, json_array_get(findings, i)))
			return g_strdup("a finding in it lacks what is to be compared");
	return NULL;
}

char *comparison_add_json(struct comparison *comparison, enum which which, const char *text, size_t size)
{
	/* No integer is too big for a double, and up to 2^53 they are exact. */
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
	json_error_t error;
	json_t *report = json_loadb(text, size, flags, &error);
	char *problem;

	if (!report)
		return g_strdup_printf("line %d is no JSON: %s", error.line, error.text);
	problem = add_report(comparison, which, report);
	json_decref(report);
	return problem;
}

/* ---- judging ---- */

double comparison_rate(const struct comparison *comparison, const struct tally *tally, enum which which)
{
	double count = (double)tally->sides[which].count;

	if (!comparison->sides[BEFORE].connections || !comparison->sides[NOW].connections)
		return count;
	return count / (double)comparison->sides[which].connections;
}

static enum change change_of(const struct comparison *comparison, const struct tally *tally, unsigned percent)
{
	double before = comparison_rate(comparison, tally, BEFORE), now = comparison_rate(comparison, tally, NOW);
	double margin = before * percent / 100;

	if (!tally->sides[BEFORE].count)
		return tally->sides[NOW].count ? CHANGE_new : CHANGE_same;
	if (!tally->sides[NOW].count)
		return CHANGE_gone;
	if (now > before + margin)
		return CHANGE_worse;
	return now < before - margin ? CHANGE_better : CHANGE_same;
}

static int by_harm(const void *left, const void *right)
{
	const struct tally *a = *(struct tally *const *)left, *b = *(struct tally *const *)right;
	uint64_t a_count = MAX(a->sides[BEFORE].count, a->sides[NOW].count),
		 b_count = MAX(b->sides[BEFORE].count, b->sides[NOW].count);

	if (a->change != b->change)
		return a->change < b->change ? -1 : 1;
	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	if (a_count != b_count)
		return a_count > b_count ? -1 : 1;
	return strcmp(a->fingerprint, b->fingerprint);
}

void comparison_judge(struct comparison *comparison, unsigned percent)
{
	for (unsigned i = 0; i < comparison->list->len; i++) {
		struct tally *tally = comparison->list->pdata[i];

		tally->change = change_of(comparison, tally, percent);
	}
	g_ptr_array_sort(comparison->list, by_harm);
}

unsigned comparison_count(const struct comparison *comparison, enum change change, enum severity least)
{
	unsigned count = 0;

	for (unsigned i = 0; i < comparison->list->len; i++) {
		const struct tally *tally = comparison->list->pdata[i];

		count += tally->change == change && tally->severity <= least;
	}
	return count;
}

const char *change_name(enum change change)
{
	static const char *const names[] = { "new", "worse", "better", "gone", "same" };

	return names[change];
}

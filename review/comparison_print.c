#include "comparison_print.h"

#include <inttypes.h>

#include "json.h"
#include "paragraph.h"
#include "say.h"

unsigned comparison_worse(const struct comparison *comparison, enum severity least)
{
	return comparison_count(comparison, CHANGE_new, least) + comparison_count(comparison, CHANGE_worse, least);
}

/* ---- text ---- */

static const char *const headings[] = {
	[CHANGE_new] = "New",   [CHANGE_worse] = "More often", [CHANGE_better] = "Less often",
	[CHANGE_gone] = "Gone", [CHANGE_same] = "As before",
};

static void head(const struct comparison *comparison, FILE *out)
{
	char *before = say_plural(comparison->sides[BEFORE].connections, "connection", "connections");
	char *now = say_count(comparison->sides[NOW].connections);

	fprintf(out, "halfclose: %s before, %s now\n", before, now);
	g_free(before);
	g_free(now);
}

static void damage(const struct comparison *comparison, enum which which, FILE *out)
{
	static const char *const names[] = { "before", "now" };
	char *lost = say_count(comparison->sides[which].lost_events);
	char *damaged = say_count(comparison->sides[which].damaged);

	if (comparison->sides[which].lost_events)
		fprintf(out, "  %s: %s events could not be recorded\n", names[which], lost);
	if (comparison->sides[which].damaged)
		fprintf(out, "  %s: %s places of 32 bytes in the recordings are damaged or cut off\n", names[which],
		        damaged);
	g_free(lost);
	g_free(damaged);
}

/* "12 times, 3.40 of 1,000 connections, 5,000 bytes" */
static void side_line(const struct comparison *comparison, const struct tally *tally, enum which which, FILE *out)
{
	static const char *const names[] = { "before", "now" };
	char *times = say_plural(tally->sides[which].count, "time", "times");
	char *bytes = say_plural(tally->sides[which].bytes, "byte", "bytes");
	uint64_t connections = comparison->sides[which].connections;

	fprintf(out, "          %-7s %s", names[which], times);
	if (tally->sides[which].count && connections)
		fprintf(out, ", %.2f of 1,000 connections",
		        (double)tally->sides[which].count / (double)connections * 1000);
	if (tally->sides[which].bytes)
		fprintf(out, ", %s lost", bytes);
	fputc('\n', out);
	g_free(times);
	g_free(bytes);
}

static void tally_lines(const struct comparison *comparison, const struct tally *tally, FILE *out)
{
	char *program = g_path_get_basename(*tally->program ? tally->program : "a program");
	char *label = g_strdup_printf("  %-7s ", severity_name(tally->severity));
	char *text = g_strdup_printf("%s in %s at %s", tally->rule, program, tally->place);
	char *lines = paragraph_wrap(label, text, 80);

	fputs(lines, out);
	side_line(comparison, tally, BEFORE, out);
	side_line(comparison, tally, NOW, out);
	g_free(lines);
	g_free(text);
	g_free(label);
	g_free(program);
}

static void group(const struct comparison *comparison, enum change change, FILE *out)
{
	unsigned count = comparison_count(comparison, change, SEVERITIES - 1);

	if (!count)
		return;
	fprintf(out, "\n%s (%u)%s\n", headings[change], count, change == CHANGE_same ? "" : ":");
	for (unsigned i = 0; i < comparison->list->len && change != CHANGE_same; i++) {
		const struct tally *tally = comparison->list->pdata[i];

		if (tally->change == change)
			tally_lines(comparison, tally, out);
	}
}

static void teardowns(const struct comparison *comparison, FILE *out)
{
	fputs("\nHow the connections ended, of 1,000 each:\n    before       now\n", out);
	for (unsigned i = 0; i < TEARDOWNS; i++) {
		double shares[SIDES];

		for (unsigned side = 0; side < SIDES; side++)
			shares[side] = (double)comparison->sides[side].teardowns[i] /
			               (double)MAX(comparison->sides[side].connections, 1) * 1000;
		if (comparison->sides[BEFORE].teardowns[i] || comparison->sides[NOW].teardowns[i])
			fprintf(out, "%10.2f%10.2f  %s\n", shares[BEFORE], shares[NOW], teardown_name(i));
	}
}

void comparison_to_text(const struct comparison *comparison, enum severity least, FILE *out)
{
	unsigned worse = comparison_worse(comparison, least);
	unsigned better =
	    comparison_count(comparison, CHANGE_better, least) + comparison_count(comparison, CHANGE_gone, least);

	head(comparison, out);
	damage(comparison, BEFORE, out);
	damage(comparison, NOW, out);
	if (worse || better)
		fprintf(out, "  %u worse, %u better\n", worse, better);
	else
		fputs("  nothing is worse, nothing better\n", out);
	if (comparison->suppressed)
		fprintf(out, "  %" PRIu64 " times a finding was suppressed\n", comparison->suppressed);
	for (unsigned change = 0; change < CHANGES; change++)
		group(comparison, change, out);
	if (comparison->sides[BEFORE].connections || comparison->sides[NOW].connections)
		teardowns(comparison, out);
}

/* ---- JSON ---- */

static void side_object(const struct comparison *comparison, enum which which, const char *key, struct json *json)
{
	json_object(json, key);
	json_number(json, "processes", comparison->sides[which].processes);
	json_number(json, "connections", comparison->sides[which].connections);
	json_number(json, "lost_events", comparison->sides[which].lost_events);
	json_number(json, "damaged", comparison->sides[which].damaged);
	json_number(json, "unread_bytes", comparison->sides[which].unread_bytes);
	json_number(json, "unacked_bytes", comparison->sides[which].unacked_bytes);
	json_object(json, "teardown");
	for (unsigned i = 0; i < TEARDOWNS; i++)
		json_number(json, teardown_name(i), comparison->sides[which].teardowns[i]);
	json_end_object(json);
	json_end_object(json);
}

static void tally_side(const struct tally *tally, enum which which, const char *key, struct json *json)
{
	json_object(json, key);
	json_number(json, "count", tally->sides[which].count);
	json_number(json, "bytes", tally->sides[which].bytes);
	json_number(json, "unread", tally->sides[which].unread);
	json_end_object(json);
}

static void tally_object(const struct tally *tally, struct json *json)
{
	json_object(json, NULL);
	json_string(json, "change", change_name(tally->change));
	json_string(json, "rule", tally->rule);
	json_string(json, "severity", severity_name(tally->severity));
	json_string(json, "fingerprint", tally->fingerprint);
	json_string(json, "exe", tally->program);
	json_string(json, "place", tally->place);
	tally_side(tally, BEFORE, "old", json);
	tally_side(tally, NOW, "new", json);
	json_end_object(json);
}

void comparison_to_json(const struct comparison *comparison, enum severity least, FILE *out)
{
	struct json json = { .text = g_string_new(NULL), .indent = 1 };

	json_object(&json, NULL);
	json_number(&json, "schema", REPORT_SCHEMA);
	json_number(&json, "worse", comparison_worse(comparison, least));
	json_number(&json, "suppressed", comparison->suppressed);
	side_object(comparison, BEFORE, "old", &json);
	side_object(comparison, NOW, "new", &json);
	json_array(&json, "findings");
	for (unsigned i = 0; i < comparison->list->len; i++)
		tally_object(comparison->list->pdata[i], &json);
	json_end_array(&json);
	json_end_object(&json);
	fprintf(out, "%s\n", json.text->str);
	g_string_free(json.text, TRUE);
}

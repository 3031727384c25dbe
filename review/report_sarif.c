/*
 * SARIF 2.1.0: what code scanning reads to show findings at their lines and to track
 * them from one analysis to the next. (OASIS, Static Analysis Results Interchange Format.)
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "say.h"
#include "sites.h"
#include "source_uri.h"

#ifndef HC_VERSION_TEXT
#define HC_VERSION_TEXT "0"
#endif

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define ROOT "%SRCROOT%"

static void write_text(struct json *json, const char *key, const char *text)
{
	json_object(json, key);
	json_string(json, "text", text);
	json_end_object(json);
}

/* ---- the tool and its rules ---- */

static unsigned index_of(const struct rule *rule)
{
	return (unsigned)(rule - rules);
}

static void write_help(struct json *json, const struct rule *rule)
{
	char *text = g_strdup_printf("%s What the peer sees: %s The cure: %s", rule->means, rule->peer, rule->advice);
	char *markdown = g_strdup_printf("%s\n\n**What the peer sees:** %s\n\n**The cure:** %s", rule->means,
	                                 rule->peer, rule->advice);

	json_object(json, "help");
	json_string(json, "text", text);
	json_string(json, "markdown", markdown);
	json_end_object(json);
	g_free(text);
	g_free(markdown);
}

static void write_rule(struct json *json, const struct rule *rule)
{
	char *title = g_strconcat(rule->title, ".", NULL);

	title[0] = g_ascii_toupper(title[0]);
	json_object(json, NULL);
	json_string(json, "id", rule->id);
	write_text(json, "shortDescription", title);
	write_text(json, "fullDescription", rule->means);
	write_help(json, rule);
	json_object(json, "defaultConfiguration");
	json_string(json, "level", severity_name(rule->severity)); /* SARIF's levels have our severities' names */
	json_end_object(json);
	json_object(json, "properties");
	json_array(json, "tags");
	json_string(json, NULL, "reliability");
	json_string(json, NULL, "network");
	json_end_array(json);
	json_string(json, "precision", "very-high"); /* the kernel did it */
	json_end_object(json);
	json_end_object(json);
	g_free(title);
}

static void write_tool(struct json *json)
{
	json_object(json, "tool");
	json_object(json, "driver");
	json_string(json, "name", "halfclose");
	json_string(json, "version", HC_VERSION_TEXT);
	json_string(json, "semanticVersion", HC_VERSION_TEXT);
	json_array(json, "rules");
	for (const struct rule *rule = rules; rule->id; rule++)
		write_rule(json, rule);
	json_end_array(json);
	json_end_object(json);
	json_end_object(json);
}

/* ---- what the recording lacks ---- */

static void write_notification(struct json *json, uint64_t count, const char *level, const char *text)
{
	char *number = say_count(count), *line;

	if (count) {
		line = g_strdup_printf("%s %s.", number, text);
		json_object(json, NULL);
		json_string(json, "level", level);
		write_text(json, "message", line);
		json_end_object(json);
		g_free(line);
	}
	g_free(number);
}

static void write_invocation(struct report *report, struct json *json)
{
	uint64_t unreadable = report->timeline->problems;

	json_array(json, "invocations");
	json_object(json, NULL);
	json_bool(json, "executionSuccessful", unreadable == 0);
	json_array(json, "toolExecutionNotifications");
	write_notification(json, unreadable, "error", "recordings could not be read");
	write_notification(json, report_lost(report), "warning",
	                   "events could not be recorded: findings may be missing");
	write_notification(json, report_damaged(report), "warning",
	                   "places of 32 bytes in the recording are damaged or cut off");
	write_notification(json, report_unwritten(report), "note",
	                   "places of 32 bytes in the recording were never filled");
	write_notification(json, report_unknown(report), "warning",
	                   "events are of a kind that came after this halfclose");
	json_end_array(json);
	json_end_object(json);
	json_end_array(json);
}

static void write_root(struct report *report, struct json *json)
{
	char *uri = report->source_root ? source_root_uri(report->source_root) : NULL;

	json_object(json, "originalUriBaseIds");
	json_object(json, ROOT);
	json_string(json, "uri", uri);
	write_text(json, "description", "The root of the sources; halfclose's --source-root.");
	json_end_object(json);
	json_end_object(json);
	g_free(uri);
}

static void summary(struct report *report)
{
	struct json *json = report->state = g_new0(struct json, 1);

	json->text = g_string_new(NULL);
	json->indent = 1;
	json_object(json, NULL);
	json_string(json, "$schema", SCHEMA);
	json_string(json, "version", "2.1.0");
	json_array(json, "runs");
	json_object(json, NULL);
	write_tool(json);
	write_invocation(report, json);
	write_root(report, json);
	json_string(json, "columnKind", "unicodeCodePoints");
	json_array(json, "results");
}

/* ---- where ---- */

static void write_artifact(struct report *report, struct json *json, const char *path)
{
	bool below;
	char *uri = source_uri(path, report->source_root, &below);

	json_object(json, "artifactLocation");
	json_string(json, "uri", uri);
	if (below)
		json_string(json, "uriBaseId", ROOT);
	json_end_object(json);
	g_free(uri);
}

static void write_source(struct report *report, struct json *json, const struct frame *frame)
{
	json_object(json, "physicalLocation");
	write_artifact(report, json, frame->file);
	if (frame->line) {
		json_object(json, "region");
		json_number(json, "startLine", frame->line);
		json_end_object(json);
	}
	json_end_object(json);
}

static void write_binary(struct report *report, struct json *json, const char *path, uint64_t offset)
{
	json_object(json, "physicalLocation");
	write_artifact(report, json, path);
	if (offset && offset <= G_MAXINT64) {
		json_object(json, "address");
		json_number(json, "relativeAddress", offset);
		json_end_object(json);
	}
	json_end_object(json);
}

/* The members of a location: the source's line, else the program's file; and the function. */
static void write_place(struct report *report, struct json *json, const struct frame *frame)
{
	char *text = site_frame(frame);

	if (frame->file && *frame->file)
		write_source(report, json, frame);
	else if (frame->module && *frame->module == '/')
		write_binary(report, json, frame->module, frame->offset);
	if (frame->function) {
		json_array(json, "logicalLocations");
		json_object(json, NULL);
		json_string(json, "fullyQualifiedName", frame->function);
		json_string(json, "kind", "function");
		json_end_object(json);
		json_end_array(json);
	}
	write_text(json, "message", text);
	g_free(text);
}

static bool is_below_root(const struct report *report, const struct frame *frame)
{
	bool below = false, there;
	char *path;

	if (!frame->file || !*frame->file)
		return false;
	if (*frame->file == '/') {
		g_free(source_uri(frame->file, report->source_root, &below));
		return below;
	}
	path = g_build_filename(report->source_root, frame->file, NULL);
	there = g_file_test(path, G_FILE_TEST_IS_REGULAR);
	g_free(path);
	return there;
}

/* Where it is to be shown: code scanning shows what is in its sources alone, and the
 * call may be in a library's, whose caller is what can be mended. */
static const struct frame *shown_frame(const struct report *report, const GArray *site)
{
	for (unsigned i = 0; report->source_root && i < site->len; i++)
		if (is_below_root(report, &g_array_index(site, struct frame, i)))
			return &g_array_index(site, struct frame, i);
	return &g_array_index(site, struct frame, 0);
}

/* Code scanning wants at least one: where no stack was recorded, the program. */
static void write_locations(struct report *report, struct json *json, const struct finding *finding)
{
	json_array(json, "locations");
	if (finding->site->len || *finding->program == '/') {
		json_object(json, NULL);
		if (finding->site->len)
			write_place(report, json, shown_frame(report, finding->site));
		else
			write_binary(report, json, finding->program, 0);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_location(struct report *report, struct json *json, const struct frame *frame)
{
	json_object(json, NULL);
	json_object(json, "location");
	write_place(report, json, frame);
	json_end_object(json);
	if (frame->module)
		json_string(json, "module", frame->module);
	json_end_object(json);
}

/* The same calls twice: as the stack that they are, innermost first, and as the path
 * from the outermost to the end, since not every viewer shows stacks. */
static void write_stack(struct report *report, struct json *json, const GArray *site)
{
	if (!site->len)
		return;
	json_array(json, "stacks");
	json_object(json, NULL);
	write_text(json, "message", "The call that ended the descriptor.");
	json_array(json, "frames");
	for (unsigned i = 0; i < site->len; i++)
		write_location(report, json, &g_array_index(site, struct frame, i));
	json_end_array(json);
	json_end_object(json);
	json_end_array(json);
	if (site->len < 2)
		return;
	json_array(json, "codeFlows");
	json_object(json, NULL);
	json_array(json, "threadFlows");
	json_object(json, NULL);
	json_array(json, "locations");
	for (unsigned i = site->len; i-- > 0;)
		write_location(report, json, &g_array_index(site, struct frame, i));
	json_end_array(json);
	json_end_object(json);
	json_end_array(json);
	json_end_object(json);
	json_end_array(json);
}

/* ---- what ---- */

static char *message_of(const struct finding *finding)
{
	GString *text = g_string_new(finding->rule->title);
	char *program = g_path_get_basename(*finding->program ? finding->program : "a program");
	char *count = say_plural(finding->count, "time", "times");
	char *bytes = say_plural(finding->bytes, "byte", "bytes");
	char *unread = say_plural(finding->unread, "byte", "bytes");
	char *waiting = say_plural(finding->waiting, "connection", "connections");

	text->str[0] = g_ascii_toupper(text->str[0]);
	g_string_append_printf(text, ": %s in %s", count, program);
	if (finding->unread)
		g_string_append_printf(text, ", %s unread", unread);
	if (finding->bytes)
		g_string_append_printf(text, ", %s %s", bytes, finding->rule->lost ? finding->rule->lost : "lost");
	if (finding->waiting)
		g_string_append_printf(text, ", %s in the queue reset", waiting);
	g_string_append_printf(text, ". %s", finding->rule->advice);
	g_free(program);
	g_free(count);
	g_free(bytes);
	g_free(unread);
	g_free(waiting);
	return g_string_free(text, FALSE);
}

static void write_properties(struct json *json, const struct finding *finding)
{
	json_object(json, "properties");
	json_string(json, "program", finding->program);
	json_string(json, "place", finding->place);
	json_string(json, "how", value_name(FIELD_how, finding->example.connection->close->close.how));
	json_number(json, "bytes", finding->bytes);
	json_number(json, "unread", finding->unread);
	json_number(json, "waiting", finding->waiting);
	json_end_object(json);
}

static void write_finding(struct report *report, const struct finding *finding)
{
	struct json *json = report->state;
	char *message = message_of(finding);
	char *fingerprint = g_strdup_printf("%s:%u", finding->fingerprint, finding->ordinal);

	json_object(json, NULL);
	json_string(json, "ruleId", finding->rule->id);
	json_number(json, "ruleIndex", index_of(finding->rule));
	json_string(json, "level", severity_name(finding->rule->severity));
	write_text(json, "message", message);
	write_locations(report, json, finding);
	json_object(json, "partialFingerprints");
	json_string(json, "halfcloseSite/v1", fingerprint);
	json_end_object(json);
	json_number(json, "occurrenceCount", MIN(finding->count, G_MAXINT32));
	write_stack(report, json, finding->site);
	write_properties(json, finding);
	json_end_object(json);
	g_free(fingerprint);
	g_free(message);
}

static void end(struct report *report)
{
	struct json *json = report->state;

	json_end_array(json);
	json_end_object(json);
	json_end_array(json);
	json_end_object(json);
	fprintf(report->out, "%s\n", json->text->str);
	g_string_free(json->text, TRUE);
	g_free(json);
}

const struct report_format report_sarif = {
	.name = "sarif",
	.meaning = "findings for code scanning (SARIF 2.1.0)",
	.summary = summary,
	.finding = write_finding,
	.end = end,
};

/* The findings as suppressions of themselves: a start for the file of --suppressions. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "glob.h"
#include "say.h"
#include "sites.h"

static void put(struct report *report, const char *key, const char *text)
{
	char *pattern = glob_of(text);

	fprintf(report->out, "%s = %s\n", key, pattern);
	g_free(pattern);
}

static void put_base(struct report *report, const char *key, const char *path)
{
	char *name = g_path_get_basename(path);

	put(report, key, name);
	g_free(name);
}

static void put_frame(struct report *report, const struct frame *frame)
{
	if (frame->function)
		put(report, "function", frame->function);
	else if (frame->module)
		put_base(report, "module", frame->module);
	else if (frame->file)
		put_base(report, "file", frame->file);
}

/* As many frames as make a call site, each by what is known of it; a script's behind
 * its interpreter's, as they are recorded. */
static void put_stack(struct report *report, const GArray *site)
{
	unsigned count = MIN(site->len, SITE_KEY_FRAMES);

	for (unsigned script = 0; script <= 1; script++)
		for (unsigned i = 0; i < count; i++)
			if (!g_array_index(site, struct frame, i).language == !script)
				put_frame(report, &g_array_index(site, struct frame, i));
}

static void write_finding(struct report *report, const struct finding *finding)
{
	const char *how = value_name(FIELD_how, finding->example.connection->close->close.how);
	char *count = say_plural(finding->count, "time", "times");
	char *place = say_text(finding->place, strlen(finding->place));

	fprintf(report->out, "# %s, %s: %s\n# at %s\n", severity_name(finding->rule->severity), count,
	        finding->rule->title, place);
	fprintf(report->out, "[%s %s:%u]\n", finding->rule->id, finding->fingerprint, finding->ordinal);
	put(report, "rule", finding->rule->id);
	if (*finding->program)
		put_base(report, "program", finding->program);
	if (how)
		put(report, "how", how);
	put_stack(report, finding->site);
	fputc('\n', report->out);
	g_free(count);
	g_free(place);
}

const struct report_format report_suppressions = {
	.name = "suppressions",
	.meaning = "what would suppress the findings, for --suppressions",
	.finding = write_finding,
};

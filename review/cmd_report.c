#include <string.h>

#include "command.h"
#include "report.h"
#include "say.h"

static gboolean as_json;
static char *format_name;

static const GOptionEntry entries[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "the same as --format json", NULL },
	{ "format", 0, 0, G_OPTION_ARG_STRING, &format_name, "text (the default), summary or json", "NAME" },
	{ 0 },
};

const GOptionEntry *report_options(void)
{
	return entries;
}

static const struct report_format *wanted_format(void)
{
	const char *name = as_json ? "json" : format_name ? format_name : "text";
	const struct report_format *format = report_format_named(name);

	if (!format) {
		const char **names = report_format_names();
		const char *near = nearest(name, names);
		char *all = g_strjoinv(", ", (char **)names);

		if (near)
			complain("report: there is no format '%s'; did you mean '%s'?", name, near);
		else
			complain("report: there is no format '%s'; there are %s", name, all);
		g_free(all);
		g_free(names);
	}
	return format;
}

int report_command(const struct command *command, int argc, char **argv)
{
	const struct report_format *format;
	struct report *report;
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	format = wanted_format();
	if (!format)
		return STATUS_USAGE;
	if (argc < 2) {
		complain("report: which recording? See 'halfclose help report'");
		return STATUS_USAGE;
	}
	report = report_read(argv + 1, format, stdout);
	status = report->timeline->problems ? STATUS_FAILED : STATUS_OK;
	if (report->timeline->recordings->len)
		report_write(report);
	report_free(report);
	g_free(format_name);
	return status;
}

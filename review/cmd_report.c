#include <string.h>

#include "command.h"
#include "output.h"
#include "report.h"
#include "say.h"

static gboolean as_json;
static char *format_name, *output_path;

static GOptionEntry entries[] = {
	{ "format", 'f', 0, G_OPTION_ARG_STRING, &format_name, NULL /* the formats */, "NAME" },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "the same as --format json", NULL },
	{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &output_path, "write it there, whole or not at all", "FILE" },
	{ 0 },
};

const GOptionEntry *report_options(void)
{
	if (!entries[0].description) {
		const char **names = report_format_names();
		char *all = g_strjoinv(", ", (char **)names);

		entries[0].description = g_strdup_printf("one of %s; without it %s", all, names[0]);
		g_free(all);
		g_free(names);
	}
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

/* False: none of the files could be read, and nothing was written. */
static bool write_report(char *const *paths, const struct report_format *format, FILE *out, int *status)
{
	struct report *report = report_read(paths, format, out);
	bool any = report->timeline->recordings->len != 0;

	*status = report->timeline->problems ? STATUS_FAILED : STATUS_OK;
	if (any)
		report_write(report);
	report_free(report);
	return any;
}

int report_command(const struct command *command, int argc, char **argv)
{
	const struct report_format *format;
	struct output output;
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
	if (!output_path) {
		write_report(argv + 1, format, stdout, &status);
		return status;
	}
	if (!output_open(&output, output_path))
		return STATUS_FAILED;
	if (!write_report(argv + 1, format, output.file, &status))
		output_discard(&output);
	else if (!output_commit(&output))
		status = STATUS_FAILED;
	return status;
}

#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "output.h"
#include "report.h"
#include "say.h"

static gboolean as_json, as_suppressions;
static char *format_name, *output_path, *html_path, *source_root, **suppression_paths;

static GOptionEntry entries[] = {
	{ "format", 'f', 0, G_OPTION_ARG_STRING, &format_name, NULL /* the formats */, "NAME" },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "the same as --format json", NULL },
	{ "html", 0, 0, G_OPTION_ARG_FILENAME, &html_path, "the same as --format html -o FILE", "FILE" },
	{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &output_path, "write it there, whole or not at all", "FILE" },
	{ "source-root", 0, 0, G_OPTION_ARG_FILENAME, &source_root,
	  "where the sources are: sarif tells files below DIR relative to it, html shows their lines", "DIR" },
	{ "suppressions", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &suppression_paths,
	  "leave out the findings that FILE names; more than once", "FILE" },
	{ "gen-suppressions", 0, 0, G_OPTION_ARG_NONE, &as_suppressions, "the same as --format suppressions", NULL },
	{ 0 },
};

/* A line for each format, below the option's own. */
static char *formats_text(void)
{
	const char **names = report_format_names();
	GString *text = g_string_new("the report's format [text]:");

	for (const char **name = names; *name; name++)
		g_string_append_printf(text, "\n      %-15s %s", *name, report_format_named(*name)->meaning);
	g_free(names);
	return g_string_free(text, FALSE);
}

const GOptionEntry *report_options(void)
{
	if (!entries[0].description)
		entries[0].description = formats_text();
	return entries;
}

static const struct report_format *wanted_format(void)
{
	const char *name = html_path         ? "html"
	                   : as_json         ? "json"
	                   : as_suppressions ? "suppressions"
	                   : format_name     ? format_name
	                                     : "text";
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
static bool write_report(char *const *paths, const struct report_settings *settings, FILE *out, int *status)
{
	struct report *report = report_read_with(paths, settings, out);
	bool any = report->timeline->recordings->len != 0;

	*status = report->timeline->problems ? STATUS_FAILED : STATUS_OK;
	if (any)
		report_write(report);
	if (any && settings->suppressions)
		suppressions_tell_unused(settings->suppressions);
	report_free(report);
	return any;
}

/* A report in the place of its recording would cost somebody the recording. */
static bool is_one_of(const char *output, char *const *paths)
{
	struct stat to, from;

	if (stat(output, &to) < 0 || !S_ISREG(to.st_mode))
		return false;
	for (; *paths; paths++)
		if (stat(*paths, &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
			return true;
	return false;
}

static int write_somewhere(char *const *paths, const struct report_settings *settings)
{
	struct output output;
	int status;

	if (output_path && is_one_of(output_path, paths)) {
		complain("report: -o %s: is one of the recordings", output_path);
		return STATUS_USAGE;
	}
	if (!output_path) {
		write_report(paths, settings, stdout, &status);
		return status;
	}
	if (!output_open(&output, output_path))
		return STATUS_FAILED;
	if (!write_report(paths, settings, output.file, &status))
		output_discard(&output);
	else if (!output_commit(&output))
		status = STATUS_FAILED;
	return status;
}

static const char *absolute_root(void)
{
	char *path = source_root;

	if (path)
		source_root = g_canonicalize_filename(path, NULL);
	g_free(path);
	return source_root;
}

int report_command(const struct command *command, int argc, char **argv)
{
	struct report_settings settings = { 0 };
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (html_path && (as_json || as_suppressions || format_name || output_path)) {
		complain("report: --html FILE says both the format and the file");
		return STATUS_USAGE;
	}
	if (html_path)
		output_path = html_path;
	settings.format = wanted_format();
	if (!settings.format)
		return STATUS_USAGE;
	if (argc < 2) {
		complain("report: which recording? See 'halfclose help report'");
		return STATUS_USAGE;
	}
	settings.source_root = absolute_root();
	settings.suppressions = suppression_paths ? suppressions_read(suppression_paths) : NULL;
	if (suppression_paths && !settings.suppressions)
		return STATUS_FAILED;
	status = write_somewhere(argv + 1, &settings);
	suppressions_free(settings.suppressions);
	return status;
}

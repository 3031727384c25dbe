#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "comparison_print.h"
#include "say.h"
#include "whole_file.h"

#define REPORT_MOST (24u << 20) /* bytes of a report in JSON; read, one of {} alone takes 80 times that */

static gboolean as_json;
static char **files[SIDES], **suppression_paths, *severity_text;
static int tolerance;

static const GOptionEntry entries[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one JSON object, for programs", NULL },
	{ "old", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files[BEFORE], "FILE is old, all operands new; more than once",
	  "FILE" },
	{ "new", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files[NOW], "FILE is new, all operands old; more than once",
	  "FILE" },
	{ "tolerance", 0, 0, G_OPTION_ARG_INT, &tolerance, "as before is what differs by no more than N % [0]", "N" },
	{ "severity", 0, 0, G_OPTION_ARG_STRING, &severity_text,
	  "one of error, warning, note: the least that counts [note]", "NAME" },
	{ "suppressions", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &suppression_paths,
	  "leave out the findings in recordings that FILE names", "FILE" },
	{ 0 },
};

const GOptionEntry *diff_options(void)
{
	return entries;
}

/* ---- the command line ---- */

static bool wanted_severity(enum severity *severity)
{
	const char *names[SEVERITIES + 1] = { 0 }, *near;

	*severity = SEVERITIES - 1;
	for (unsigned i = 0; i < SEVERITIES; i++) {
		names[i] = severity_name(i);
		if (severity_text && !strcmp(severity_text, names[i])) {
			*severity = i;
			return true;
		}
	}
	if (!severity_text)
		return true;
	near = nearest(severity_text, names);
	complain("diff: there is no severity '%s'; did you mean '%s'?", severity_text, near ? near : names[0]);
	return false;
}

/* Who is old and who is new: see the options. */
static bool choose_files(char **operands, int count)
{
	static char *pairs[SIDES][2];

	if (files[BEFORE] && files[NOW])
		return count == 0;
	if (files[BEFORE] || files[NOW]) {
		files[files[BEFORE] ? NOW : BEFORE] = operands;
		return count > 0;
	}
	for (unsigned side = 0; side < SIDES && count == SIDES; side++) {
		pairs[side][0] = operands[side];
		files[side] = pairs[side];
	}
	return count == SIDES;
}

/* ---- reading ---- */

/* Is it text, then? What else it may be, whoever reads recordings knows and says. */
static bool looks_like_json(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char start[64];
	struct stat status;
	ssize_t size = 0, at = 0;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		size = read(fd, start, sizeof(start));
	close(fd);
	while (at < size && g_ascii_isspace(start[at]))
		at++;
	return at < size && start[at] == '{';
}

static bool add_json(struct comparison *comparison, enum which which, const char *path)
{
	char *problem;
	GString *text = whole_file_read(path, REPORT_MOST, &problem);

	if (text) {
		problem = comparison_add_json(comparison, which, text->str, text->len);
		g_string_free(text, TRUE);
	}
	if (!problem)
		return true;
	complain("%s: %s", path, problem);
	g_free(problem);
	return false;
}

/* Recordings are read together: the two ends of a connection may be in two of them. */
static bool add_recordings(struct comparison *comparison, enum which which, char **paths,
                           struct suppressions *suppressions)
{
	static const struct report_format nothing = { .name = "nothing" };
	const struct report_settings settings = { .format = &nothing, .suppressions = suppressions };
	struct report *report;
	bool good;

	if (!*paths)
		return true;
	report = report_read_with(paths, &settings, stdout);
	good = report->timeline->problems == 0;
	comparison_add(comparison, which, report);
	report_free(report);
	return good;
}

static bool add_side(struct comparison *comparison, enum which which, struct suppressions *suppressions)
{
	GPtrArray *recordings = g_ptr_array_new();
	bool good = true;

	for (char **path = files[which]; *path; path++) {
		if (looks_like_json(*path))
			good &= add_json(comparison, which, *path);
		else
			g_ptr_array_add(recordings, *path);
	}
	g_ptr_array_add(recordings, NULL);
	good &= add_recordings(comparison, which, (char **)recordings->pdata, suppressions);
	g_ptr_array_unref(recordings);
	return good;
}

static int compare(enum severity least, struct suppressions *suppressions)
{
	struct comparison *comparison = comparison_new();
	bool good = add_side(comparison, BEFORE, suppressions);
	int status = STATUS_FAILED;

	good &= add_side(comparison, NOW, suppressions);
	if (good) { /* half of it would be compared wrongly */
		comparison->suppressed = suppressions ? suppressions->used : 0;
		comparison_judge(comparison, (unsigned)tolerance);
		(as_json ? comparison_to_json : comparison_to_text)(comparison, least, stdout);
		if (suppressions)
			suppressions_tell_unused(suppressions);
		status = comparison_worse(comparison, least) ? STATUS_WORSE : STATUS_OK;
	}
	comparison_free(comparison);
	return status;
}

int diff_command(const struct command *command, int argc, char **argv)
{
	struct suppressions *suppressions = NULL;
	enum severity least;
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (!wanted_severity(&least))
		return STATUS_USAGE;
	if (tolerance < 0) {
		complain("diff: --tolerance is a number of percent, 0 or more");
		return STATUS_USAGE;
	}
	if (!choose_files(argv + 1, argc - 1)) {
		complain("diff: which two recordings or reports? See 'halfclose help diff'");
		return STATUS_USAGE;
	}
	if (suppression_paths && !(suppressions = suppressions_read(suppression_paths)))
		return STATUS_FAILED;
	status = compare(least, suppressions);
	suppressions_free(suppressions);
	return status;
}

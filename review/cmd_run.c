#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "program.h"
#include "report.h"
#include "say.h"

#include <halfclose/recording.h>

/* What is set by `run` itself, or would be of no use with it. */
static const char *const not_options[] = { "OFF", "LOG", "WARN" };

#define DRAIN_PATIENCE (3 * G_USEC_PER_SEC) /* longer than a peer may be quiet, by default */

static char *output, **suppression_paths;
static struct suppressions *suppressions; /* NULL: none */
static gboolean quiet;
static int error_exitcode;
static GPtrArray *additions; /* to the environment: "NAME=value", owned */

struct recording_file {
	char *path;
	gboolean temporary;
};

static void add_variable(const char *name, const char *value)
{
	if (!additions)
		additions = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(additions, g_strconcat(name, "=", value, NULL));
}

static gboolean set_option(const gchar *option, const gchar *value, gpointer data, GError **error)
{
	char *name = g_ascii_strup(option + strlen("--"), -1), *variable;

	(void)data;
	(void)error;
	variable = g_strconcat("HALFCLOSE_", g_strdelimit(name, "-", '_'), NULL);
	add_variable(variable, value ? value : "all");
	g_free(variable);
	g_free(name);
	return TRUE;
}

static gboolean is_option(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(not_options); i++)
		if (!strcmp(not_options[i], name))
			return FALSE;
	return TRUE;
}

/* One option for each of the environment's: --log-max=SIZE is HALFCLOSE_LOG_MAX=SIZE. */
static void add_environment_options(GArray *entries)
{
	static const struct {
		const char *name, *type, *preset, *values, *meaning;
	} options[] = {
#define OPTION(name, type, preset, values, meaning) { #name, #type, preset, values, meaning },
#include <halfclose/options.def>
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
		GOptionEntry entry = { .arg = G_OPTION_ARG_CALLBACK, .arg_data = (gpointer)set_option };
		bool wide = strlen(options[i].values) > 20;
		char *name = g_ascii_strdown(options[i].name, -1);
		char *meaning =
		    g_strconcat(options[i].meaning, wide ? ": " : "", wide ? options[i].values : "",
		                *options[i].preset ? " [" : "", options[i].preset, *options[i].preset ? "]" : "", NULL);

		entry.long_name = g_intern_string(g_strdelimit(name, "_", '-'));
		entry.description = g_intern_string(meaning);
		bool list = !strcmp(options[i].type, "list"); /* alone it means all */

		entry.flags = list ? G_OPTION_FLAG_OPTIONAL_ARG : 0;
		entry.arg_description = list ? "LIST" : wide ? "FILTER" : options[i].values;
		if (is_option(options[i].name))
			g_array_append_val(entries, entry);
		g_free(name);
		g_free(meaning);
	}
}

const GOptionEntry *run_options(void)
{
	static const GOptionEntry own[] = {
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "keep the recording in FILE", "FILE" },
		{ "error-exitcode", 0, 0, G_OPTION_ARG_INT, &error_exitcode,
		  "exit with N instead of 0 where there is a finding of severity error", "N" },
		{ "suppressions", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &suppression_paths,
		  "leave out the findings that FILE names; more than once", "FILE" },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "no summary at the end", NULL },
	};
	static GArray *entries; /* made once; lives as long as the program */

	if (!entries) {
		entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
		g_array_append_vals(entries, own, G_N_ELEMENTS(own));
		add_environment_options(entries);
	}
	return (const GOptionEntry *)(const void *)entries->data;
}

/* ---- the recording's file ---- */

/* Only what is empty or was a recording is removed: -o must not cost anybody a file. */
static gboolean remove_old(const char *path)
{
	char magic[sizeof(HC_MAGIC)] = "";
	struct stat st;
	ssize_t size = 0;
	int fd;

	if (lstat(path, &st) < 0)
		return errno == ENOENT;
	fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd >= 0) {
		size = read(fd, magic, sizeof(magic));
		close(fd);
	}
	if (fd < 0 || (size != 0 && memcmp(magic, HC_MAGIC, sizeof(HC_MAGIC)) != 0)) {
		errno = EEXIST;
		return FALSE;
	}
	return unlink(path) == 0;
}

static gboolean choose_file(struct recording_file *file)
{
	GError *error = NULL;
	int fd;

	if (output) {
		file->path = g_canonicalize_filename(output, NULL);
		file->temporary = FALSE;
		if (remove_old(file->path))
			return TRUE;
		complain("%s: %s", output,
		         errno == EEXIST ? "is there already and is no recording: not touched" : g_strerror(errno));
		return FALSE;
	}
	fd = g_file_open_tmp("halfclose-XXXXXX", &file->path, &error);
	file->temporary = TRUE;
	if (fd < 0) {
		complain("no temporary file: %s", error->message);
		g_error_free(error);
		return FALSE;
	}
	close(fd);
	return TRUE;
}

/* ---- the summary ---- */

static void tell_death(const struct report *report, pid_t pid, int status)
{
	unsigned held = report_open_of(report, (unsigned)pid);
	int number = WTERMSIG(status);
	const char *name = sigabbrev_np(number);

	fprintf(stderr, "halfclose: the command was killed by SIG%s (%d); it held %u connection%s open\n",
	        name ? name : "?", number, held, held == 1 ? "" : "s");
}

static gboolean is_recorded(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

static int with_errors(const struct report *report, int status)
{
	return status == 0 && error_exitcode && findings_of(report->findings, SEVERITY_error) ? error_exitcode : status;
}

/* The ends of drains come after the program's own: a summary is worth a moment. */
static struct report *read_settled(char *const *paths)
{
	const struct report_settings settings = { .format = &report_summary, .suppressions = suppressions };
	gint64 until = g_get_monotonic_time() + DRAIN_PATIENCE;
	struct report *report = report_read_with(paths, &settings, stderr);

	while (!quiet && report->connections->outcomes[HC_OUTCOME_drain] > report_drains(report) &&
	       g_get_monotonic_time() < until) {
		g_usleep(DRAIN_PATIENCE / 30);
		report_free(report);
		if (suppressions)
			suppressions_reset(suppressions);
		report = report_read_with(paths, &settings, stderr);
	}
	return report;
}

/* Returns the exit status: the command's, or --error-exitcode's. */
static int summarize(const struct recording_file *file, pid_t pid, int wait_status, int status)
{
	char *paths[] = { file->path, NULL };
	struct report *report;

	if (!is_recorded(file->path)) {
		if (!quiet)
			complain("nothing was recorded: the library was not loaded, or could not write %s", file->path);
		return status;
	}
	report = read_settled(paths);
	status = with_errors(report, status);
	if (!quiet && report->events == 0)
		complain("no event was recorded: HALFCLOSE_ONLY or HALFCLOSE_OFF may leave this program out");
	else if (!quiet)
		report_write(report);
	if (!quiet && suppressions)
		suppressions_tell_unused(suppressions);
	if (!quiet && WIFSIGNALED(wait_status))
		tell_death(report, pid, wait_status);
	if (!quiet && output)
		fprintf(stderr, "halfclose: for all of it: halfclose report %s\n", output);
	report_free(report);
	return status;
}

/* ---- the run ---- */

static char *preload_list(const char *library)
{
	const char *others = g_getenv("LD_PRELOAD");

	return others && *others ? g_strconcat(library, ":", others, NULL) : g_strdup(library);
}

/* What is set for the program: by an option of ours, or around us. */
static const char *value_of(const char *name)
{
	const char *value = g_getenv(name);

	for (unsigned i = 0; additions && i < additions->len; i++) {
		const char *is = additions->pdata[i];

		if (g_str_has_prefix(is, name) && is[strlen(name)] == '=')
			value = is + strlen(name) + 1;
	}
	return value && *value ? value : NULL;
}

/* The drain is there before the program needs it: where the program adopts the
 * orphans of its descendants, it would otherwise get the drain as its child. */
static void start_drain(void)
{
	const char *graceful = value_of("HALFCLOSE_GRACEFUL"), *drain = value_of("HALFCLOSE_DRAIN");
	const char *chosen = value_of("HALFCLOSE_DRAIN_HELPER");
	char *path = chosen ? g_strdup(chosen) : program_drain();
	char *argv[] = { path, "--daemon", NULL };

	if (path && graceful && strcmp(graceful, "off") != 0 && (!drain || !strcmp(drain, "helper")))
		g_spawn_sync("/", argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL);
	g_free(path);
}

static void prepare(const char *library, const struct recording_file *file)
{
	char *preload = preload_list(library);

	add_variable("LD_PRELOAD", preload);
	add_variable("HALFCLOSE_LOG", file->path);
	g_ptr_array_add(additions, NULL);
	g_free(preload);
}

static int run(const char *path, char **argv, pid_t *pid, int *wait_status)
{
	static char *const nothing[] = { NULL };

	*wait_status = child_run(path, argv, additions ? (char *const *)additions->pdata : nothing, pid);
	if (*wait_status == -1) {
		bool absent = errno == ENOENT; /* not itself: it was found */

		complain("%s: %s", argv[0], absent ? "its interpreter or loader was not found" : g_strerror(errno));
		return absent ? 127 : 126;
	}
	return WIFSIGNALED(*wait_status) ? 128 + WTERMSIG(*wait_status) : WEXITSTATUS(*wait_status);
}

static int run_traced(const char *path, char **argv, const char *library)
{
	struct recording_file file = { 0 };
	int status, wait_status;
	pid_t pid;

	if (!choose_file(&file)) {
		g_free(file.path);
		return STATUS_FAILED;
	}
	start_drain();
	prepare(library, &file);
	status = run(path, argv, &pid, &wait_status);
	if (wait_status != -1)
		status = summarize(&file, pid, wait_status, status);
	if (file.temporary)
		unlink(file.path);
	g_free(file.path);
	return status;
}

static int run_untraced(const char *path, char **argv, const char *who, const char *obstacle)
{
	int wait_status;
	pid_t pid;

	complain("%s can't be traced: it is %s; it runs untraced", who, obstacle);
	if (additions)
		g_ptr_array_set_size(additions, 0);
	else
		additions = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(additions, NULL);
	return run(path, argv, &pid, &wait_status);
}

static int run_program(char **argv)
{
	const char *problem;
	int status;
	char *path = program_find(argv[0], &status, &problem), *library, *obstacle, *who;

	if (!path) {
		complain("%s: %s", argv[0], problem);
		return status;
	}
	library = program_library();
	if (!library) {
		complain("libhalfclose.so was not found; HALFCLOSE_LIBRARY can name it");
		g_free(path);
		return STATUS_FAILED;
	}
	obstacle = program_obstacle(path, library, &who);
	status = obstacle ? run_untraced(path, argv, who, obstacle) : run_traced(path, argv, library);
	g_free(obstacle);
	g_free(who);
	g_free(library);
	g_free(path);
	return status;
}

int run_command(const struct command *command, int argc, char **argv)
{
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (argc < 2) {
		complain("run: which command? See 'halfclose help run'");
		return STATUS_USAGE;
	}
	if (output && strchr(output, '%')) {
		complain("run: -o %s: a name with %% would become another for each process", output);
		return STATUS_USAGE;
	}
	if (suppression_paths && !(suppressions = suppressions_read(suppression_paths)))
		return STATUS_FAILED;
	status = run_program(argv + 1);
	suppressions_free(suppressions);
	if (additions)
		g_ptr_array_unref(additions);
	g_free(output);
	return status;
}

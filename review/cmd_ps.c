#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "ps.h"
#include "say.h"

static gboolean as_json, with_stacks;
static char *recording_path;

static const GOptionEntry entries[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one JSON object", NULL },
	{ "recording", 'r', 0, G_OPTION_ARG_FILENAME, &recording_path,
	  "where its connections were recorded; without it "
	  "the recording that the process writes now",
	  "FILE" },
	{ "stacks", 's', 0, G_OPTION_ARG_NONE, &with_stacks,
	  "what its threads do at this moment, too; stops each of "
	  "them for an instant",
	  NULL },
	{ 0 },
};

const GOptionEntry *ps_options(void)
{
	return entries;
}

/* The workers of a server write into one recording: it is read once. */
static struct opened *opened_of(GHashTable *read, const char *path)
{
	struct stat st;
	struct opened *opened;
	char *key;

	if (stat(path, &st) < 0)
		memset(&st, 0, sizeof(st));
	key = g_strdup_printf("%llx:%llx", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	if (g_hash_table_contains(read, key)) {
		opened = g_hash_table_lookup(read, key);
		g_free(key);
		return opened;
	}
	opened = opened_read(path);
	g_hash_table_insert(read, key, opened);
	return opened;
}

static const char *what_lacks(const struct ps *ps, const struct opened *opened)
{
	bool any = false;

	for (unsigned i = 0; i < ps->list->len; i++)
		any |= ((struct ps_socket *)ps->list->pdata[i])->place != NULL;
	if (any || ps->list->len == ps->listeners)
		return NULL;
	if (!opened && !ps->target->traced)
		return "It does not run under libhalfclose.so: where its connections were opened is not known.";
	if (!opened && ps->target->told_to)
		return "Its recording can't be opened (a deleted one by root alone): where its connections were opened "
		       "is not known.";
	if (!opened)
		return "It records nothing (HALFCLOSE_LOG): where its connections were opened is not known.";
	return "It was recorded without HALFCLOSE_STACK=opens: where its connections were opened is not known.";
}

/* NULL: it was told on standard error. */
static struct ps *look_at(const char *word, GHashTable *read)
{
	char *end, *problem = NULL;
	long pid = strtol(word, &end, 10);
	struct target *target = *word && !*end && pid > 0 && pid <= INT_MAX ? target_open((pid_t)pid, &problem) : NULL;
	GHashTable *sockets = target ? sockets_now(target->pid, &problem) : NULL;
	struct opened *opened = NULL;
	const char *path;
	struct ps *ps;

	if (!sockets) {
		complain("ps: %s: %s", word, problem ? problem : "is no process id");
		g_free(problem);
		if (target)
			target_free(target);
		return NULL;
	}
	path = recording_path ? recording_path : target->recording;
	if (path)
		opened = opened_of(read, path);
	ps = ps_of(target, sockets, opened);
	ps->lacking = what_lacks(ps, opened);
	return ps;
}

static bool add_threads(struct ps *ps, struct symbols *symbols)
{
	char *problem;

	ps->threads = threads_read(ps->target, symbols, &problem);
	if (!problem)
		return true;
	complain("ps: %d: %s", (int)ps->target->pid, problem);
	g_free(problem);
	g_ptr_array_unref(ps->threads);
	ps->threads = NULL;
	return false;
}

static void free_opened(void *opened)
{
	opened_free(opened);
}

/* What was asked for of each; true if all could be looked at. */
static bool look_at_all(char *const *words, GHashTable *read, struct json *json)
{
	struct symbols *symbols = symbols_new();
	bool all = true, first = true;

	json_object(json, NULL);
	json_number(json, "schema", 1);
	json_array(json, "processes");
	for (; *words; words++) {
		struct ps *ps = look_at(*words, read);

		all &= ps && (!with_stacks || add_threads(ps, symbols));
		if (!ps)
			continue;
		if (as_json)
			ps_json(ps, json);
		else
			ps_text(ps, stdout, first);
		first = false;
		ps_free(ps);
	}
	json_end_array(json);
	json_end_object(json);
	symbols_free(symbols);
	return all;
}

int ps_command(const struct command *command, int argc, char **argv)
{
	struct json json = { .indent = 2 };
	GHashTable *read;
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (argc < 2) {
		complain("ps: which process? See 'halfclose help ps'");
		return STATUS_USAGE;
	}
	read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_opened);
	if (recording_path && !opened_of(read, recording_path)) {
		g_hash_table_unref(read);
		return STATUS_FAILED;
	}
	json.text = g_string_new(NULL);
	status = look_at_all(argv + 1, read, &json) ? STATUS_OK : STATUS_FAILED;
	if (as_json)
		puts(json.text->str);
	g_string_free(json.text, TRUE);
	g_hash_table_unref(read);
	return status;
}

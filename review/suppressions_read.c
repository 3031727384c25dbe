/* Files of suppressions, line by line. */
#include "suppressions.h"

#include <arpa/inet.h>
#include <string.h>

#include "glob.h"
#include "say.h"
#include "suppression_keys.h"
#include "whole_file.h"

#define FILE_MOST (16u << 20) /* nobody writes more */
#define ERRORS_TOLD 8u        /* of one file: it may be no suppressions at all */

static const char *const key_names[KEYS + 1] = {
	"rule", "program", "how", "port", "peer", "function", "module", "file"
};

struct reader {
	struct suppressions *to;
	struct suppression *now; /* the paragraph; NULL: none was begun */
	const char *path;
	unsigned line, errors;
};

static void __attribute__((format(printf, 3, 4))) problem(struct reader *reader, unsigned line, const char *format, ...)
{
	va_list arguments;
	char *text;

	if (++reader->errors > ERRORS_TOLD)
		return;
	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	complain("%s:%u: %s", reader->path, line, text);
	g_free(text);
}

static void unknown(struct reader *reader, const char *what, const char *word, const char *const *known)
{
	const char *near = nearest(word, known);
	char *all = g_strjoinv(", ", (char **)known);

	if (near)
		problem(reader, reader->line, "there is no %s '%s'; did you mean '%s'?", what, word, near);
	else
		problem(reader, reader->line, "there is no %s '%s'; there are %s", what, word, all);
	g_free(all);
}

static void check_rule(struct reader *reader, const char *pattern)
{
	const char *ids[32] = { 0 };
	unsigned count = 0;

	for (const struct rule *rule = rules; rule->id; rule++) {
		if (glob_match(pattern, rule->id))
			return;
		if (count + 1 < G_N_ELEMENTS(ids))
			ids[count++] = rule->id;
	}
	unknown(reader, "rule", pattern, ids);
}

static bool read_number(const char **at, unsigned most, unsigned *number)
{
	const char *from = *at;

	for (*number = 0; g_ascii_isdigit(**at) && *number <= most; ++*at)
		*number = *number * 10 + (unsigned)g_ascii_digit_value(**at);
	return *at > from && *number <= most;
}

static bool read_ports(const char *text, struct condition *condition)
{
	if (!read_number(&text, UINT16_MAX, &condition->least))
		return false;
	condition->most = condition->least;
	if (*text == '-') {
		text++;
		if (!read_number(&text, UINT16_MAX, &condition->most))
			return false;
	}
	return !*text && condition->least <= condition->most;
}

static bool read_peer(const char *text, struct condition *condition)
{
	const char *slash = strchr(text, '/');
	char *ip = slash ? g_strndup(text, (size_t)(slash - text)) : g_strdup(text);
	unsigned all = 0;

	if (inet_pton(AF_INET, ip, condition->peer.ip) == 1) {
		condition->peer.family = AF_INET;
		all = 32;
	} else if (inet_pton(AF_INET6, ip, condition->peer.ip) == 1) {
		condition->peer.family = AF_INET6;
		all = 128;
	}
	g_free(ip);
	condition->bits = all;
	if (!all || !slash)
		return all != 0;
	slash++;
	return read_number(&slash, all, &condition->bits) && !*slash;
}

static void add_condition(struct reader *reader, enum key key, const char *value)
{
	struct condition condition = { .key = key };

	if (!*value) {
		problem(reader, reader->line, "%s = what?", key_names[key]);
	} else if (key == KEY_port) {
		if (!read_ports(value, &condition))
			problem(reader, reader->line, "port = N or N-M, not '%s'", value);
	} else if (key == KEY_peer) {
		if (!read_peer(value, &condition))
			problem(reader, reader->line, "peer = ADDRESS or ADDRESS/BITS, not '%s'", value);
	} else {
		if (key == KEY_rule)
			check_rule(reader, value);
		condition.pattern = g_strdup(value);
	}
	g_array_append_val(reader->now->conditions, condition);
}

static void read_pair(struct reader *reader, char *line)
{
	char *equals = strchr(line, '=');
	unsigned key = 0;

	if (!equals) {
		problem(reader, reader->line, "neither '[name]' nor 'key = value'");
		return;
	}
	*equals = '\0';
	g_strchomp(line);
	while (key < KEYS && strcmp(key_names[key], line) != 0)
		key++;
	if (key == KEYS)
		unknown(reader, "key", line, key_names);
	else if (!reader->now)
		problem(reader, reader->line, "a suppression begins with its '[name]'");
	else
		add_condition(reader, key, g_strstrip(equals + 1));
}

/* One without conditions would suppress all there is: that was not meant. */
static void end_paragraph(struct reader *reader)
{
	if (reader->now && !reader->now->conditions->len)
		problem(reader, reader->now->line, "[%s] has no line 'key = value'", reader->now->name);
	reader->now = NULL;
}

static void condition_clear(void *data)
{
	g_free(((struct condition *)data)->pattern);
}

static void begin_paragraph(struct reader *reader, char *line)
{
	size_t length = strlen(line);
	struct suppression *suppression;

	end_paragraph(reader);
	if (line[length - 1] == ']')
		line[length - 1] = '\0';
	else
		problem(reader, reader->line, "the name has no ']'");
	suppression = g_new0(struct suppression, 1);
	suppression->name = g_strdup(g_strstrip(line + 1));
	suppression->path = g_intern_string(reader->path);
	suppression->line = reader->line;
	suppression->conditions = g_array_new(FALSE, FALSE, sizeof(struct condition));
	g_array_set_clear_func(suppression->conditions, condition_clear);
	g_ptr_array_add(reader->to->list, suppression);
	reader->now = suppression;
}

static void read_line(struct reader *reader, char *line)
{
	g_strstrip(line);
	if (*line == '[')
		begin_paragraph(reader, line);
	else if (*line && *line != '#')
		read_pair(reader, line);
}

bool suppressions_parse(struct suppressions *suppressions, const char *path, const char *text, size_t size)
{
	struct reader reader = { .to = suppressions, .path = path };

	for (const char *at = text, *end = text + size; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((stop ? stop : end) - at);
		char *line = g_strndup(at, length);

		reader.line++;
		if (strlen(line) != length || !g_utf8_validate_len(line, length, NULL))
			problem(&reader, reader.line, "no text in UTF-8");
		else
			read_line(&reader, line);
		g_free(line);
		at += length + 1;
	}
	end_paragraph(&reader);
	if (reader.errors > ERRORS_TOLD)
		complain("%s: and %u more lines that can't be understood", path, reader.errors - ERRORS_TOLD);
	return reader.errors == 0;
}

static bool read_file(struct suppressions *suppressions, const char *path)
{
	char *problem;
	GString *text = whole_file_read(path, FILE_MOST, &problem);
	bool good = text && suppressions_parse(suppressions, path, text->str, text->len);

	if (text)
		g_string_free(text, TRUE);
	else
		complain("%s: %s", path, problem);
	g_free(problem);
	return good;
}

struct suppressions *suppressions_read(char *const *paths)
{
	struct suppressions *suppressions = suppressions_new();
	bool good = true;

	for (; paths && *paths; paths++)
		good &= read_file(suppressions, *paths);
	if (good)
		return suppressions;
	suppressions_free(suppressions);
	return NULL;
}

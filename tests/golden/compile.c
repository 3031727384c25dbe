/*
 * golden-compile TEXT DIRECTORY: turns a readable description of events into
 * recordings DIRECTORY/1.hc, 2.hc, ... It knows the events from events.def, so
 * a new one needs nothing here.
 *
 *   file [version=N] [magic=bad] [order=other] [boot=TEXT] [host=TEXT]
 *        [monotonic=NS] [realtime=NS] [limit=BYTES] [used=BYTES] [lost=N]
 *        begins a recording (the first begins by itself)
 *   EVENT [t=NS] [pid=N] [tid=N] [sock=P.N] [cookie=N] [fd=N] [family=N]
 *        [slots=N] [FIELD=VALUE...]
 *        t goes on by 1 ms, pid and tid stay; a field that is not given is
 *        "not known"; slots cuts the record short, or makes it longer
 *   hole N         N slots that were taken and never written
 *   garbage N      N slots of nonsense
 *   unfinished N   a record of N slots whose writer was killed before the mark
 *   cut N          the file ends N bytes before its end
 *   head N         the file ends after N bytes
 *
 * Values with spaces stand in "quotes"; \xNN is a byte.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "events.h"
#include "values.h"

static struct {
	struct hc_header header;
	GByteArray *slots;
	uint64_t t;
	uint32_t pid, tid;
	int64_t cut, head;
	bool sized;
	unsigned number, line;
	const char *directory;
} now;

_Noreturn void die(const char *what, const char *word)
{
	fprintf(stderr, "golden-compile: line %u: %s: %s\n", now.line, what, word);
	exit(2);
}

static bool set_common(struct hc_record *record, struct hc_socket *socket, const char *key, const char *text)
{
	if (!strcmp(key, "t"))
		record->t = now.t = value_number(text);
	else if (!strcmp(key, "pid"))
		record->pid = record->tid = now.pid = now.tid = (uint32_t)value_number(text);
	else if (!strcmp(key, "tid"))
		record->tid = now.tid = (uint32_t)value_number(text);
	else if (!strcmp(key, "sock"))
		socket->sock = value_sock(text);
	else if (!strcmp(key, "cookie"))
		socket->cookie = value_number(text);
	else if (!strcmp(key, "fd"))
		socket->fd = (int32_t)value_number(text);
	else if (!strcmp(key, "family"))
		socket->family = (uint16_t)value_number(text);
	else
		return false;
	return true;
}

/* All fields "not known". */
static GByteArray *blank(const struct event_kind *kind)
{
	GByteArray *record = g_byte_array_new();

	g_byte_array_set_size(record, (guint)kind->size);
	memset(record->data, 0, kind->size);
	for (const struct field *field = kind->fields; field->name; field++)
		if (field->type <= FIELD_flags)
			memset(record->data + field->offset, field->type == FIELD_flags ? 0 : 0xff, field->size);
	return record;
}

static void add_slots(const GByteArray *record, unsigned slots)
{
	guint at = now.slots->len;

	g_byte_array_set_size(now.slots, at + slots * HC_SLOT_SIZE);
	memset(now.slots->data + at, 0, slots * HC_SLOT_SIZE);
	if (record->len)
		memcpy(now.slots->data + at, record->data, MIN(record->len, slots * HC_SLOT_SIZE));
}

static void set_word(GByteArray *record, const struct event_kind *kind, struct hc_record *common,
                     struct hc_socket *socket, unsigned *slots, char *word)
{
	char *text = strchr(word, '=');

	if (!text)
		die("KEY=VALUE is wanted", word);
	*text++ = '\0';
	if (!strcmp(word, "slots")) {
		*slots = (unsigned)value_number(text);
		return;
	}
	for (const struct field *field = kind->fields; field->name; field++) {
		if (!strcmp(field->name, word)) {
			value_set(record, field, text);
			return;
		}
	}
	if (!set_common(common, socket, word, text))
		die("no such field", word);
}

static void add_event(unsigned kind_number, char **words)
{
	const struct event_kind *kind = event_kind(kind_number);
	GByteArray *record = blank(kind);
	struct hc_record common = {
		.event = (uint16_t)kind_number, .t = now.t += 1000000, .pid = now.pid, .tid = now.tid
	};
	struct hc_socket socket = { .cookie = UINT64_MAX, .fd = -1, .family = AF_INET };
	unsigned slots = 0;

	for (; *words; words++)
		set_word(record, kind, &common, &socket, &slots, *words);
	if (!slots)
		slots = (record->len + HC_SLOT_SIZE - 1) / HC_SLOT_SIZE;
	common.slots = (uint16_t)slots;
	common.mark = hc_mark(now.slots->len / HC_SLOT_SIZE);
	memcpy(record->data, &common, sizeof(common));
	if (kind->socket)
		memcpy(record->data + sizeof(common), &socket, sizeof(socket));
	add_slots(record, slots);
	g_byte_array_unref(record);
}

static void begin_file(char **words)
{
	const uint64_t morning = 1700000000000000000u;

	memset(&now.header, 0, sizeof(now.header));
	now.header = (struct hc_header){ HC_MAGIC,
		                         HC_VERSION,
		                         HC_BYTE_ORDER,
		                         HC_HEADER_SIZE,
		                         HC_SLOT_SIZE,
		                         1 << 20,
		                         0,
		                         morning,
		                         "golden",
		                         "boot",
		                         0,
		                         0,
		                         0,
		                         0 };
	now.slots = g_byte_array_new();
	now.t = 0;
	now.cut = 0;
	now.head = -1;
	now.sized = false;
	now.number++;
	for (; *words; words++) {
		char *text = strchr(*words, '=');

		if (!text)
			die("KEY=VALUE is wanted", *words);
		*text++ = '\0';
		if (!strcmp(*words, "version"))
			now.header.version = (uint32_t)value_number(text);
		else if (!strcmp(*words, "magic"))
			now.header.magic[9] = '\n';
		else if (!strcmp(*words, "order"))
			now.header.byte_order = __builtin_bswap32(HC_BYTE_ORDER);
		else if (!strcmp(*words, "boot"))
			g_strlcpy(now.header.boot_id, text, sizeof(now.header.boot_id));
		else if (!strcmp(*words, "host"))
			g_strlcpy(now.header.host, text, sizeof(now.header.host));
		else if (!strcmp(*words, "monotonic"))
			now.header.start_monotonic = now.t = value_number(text);
		else if (!strcmp(*words, "realtime"))
			now.header.start_realtime = value_number(text);
		else if (!strcmp(*words, "limit"))
			now.header.limit = value_number(text);
		else if (!strcmp(*words, "lost"))
			now.header.lost = value_number(text);
		else if (!strcmp(*words, "used")) {
			now.header.used = value_number(text);
			now.sized = true;
		} else
			die("no such key", *words);
	}
}

static void end_file(void)
{
	char *name = g_strdup_printf("%s/%u.hc", now.directory, now.number);
	GByteArray *file = g_byte_array_new();
	GError *error = NULL;
	size_t size;

	if (!now.sized)
		now.header.used = now.slots->len;
	g_byte_array_set_size(file, HC_HEADER_SIZE);
	memset(file->data, 0, HC_HEADER_SIZE);
	memcpy(file->data, &now.header, sizeof(now.header));
	g_byte_array_append(file, now.slots->data, now.slots->len);
	size = now.head >= 0 ? (size_t)now.head : file->len - (size_t)now.cut;
	if (!g_file_set_contents(name, (const char *)file->data, (gssize)size, &error))
		die(name, error->message);
	g_byte_array_unref(file);
	g_byte_array_unref(now.slots);
	now.slots = NULL;
	g_free(name);
}

static void add_damage(const char *what, const char *count)
{
	GByteArray *record = g_byte_array_new();
	unsigned slots = (unsigned)value_number(count);

	if (!strcmp(what, "garbage")) {
		g_byte_array_set_size(record, slots * HC_SLOT_SIZE);
		memset(record->data, 0xa5, record->len);
	} else if (!strcmp(what, "unfinished")) {
		struct hc_record common = { .event = HC_EVENT_close, .slots = (uint16_t)slots, .t = now.t };

		g_byte_array_set_size(record, slots * HC_SLOT_SIZE);
		memset(record->data, 0x11, record->len);
		memcpy(record->data, &common, sizeof(common));
	}
	add_slots(record, slots);
	g_byte_array_unref(record);
}

/* Takes \xNN out, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] == 'x') {
			*to++ = (char)(g_ascii_xdigit_value(text[2]) << 4 | g_ascii_xdigit_value(text[3]));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static void take_line(char *line)
{
	char **words = NULL;
	enum hc_event kind;

	g_strchomp(line);
	if (*line == '\0' || *line == '#')
		return;
	for (char *at = line; (at = strstr(at, "\\x")); at += 2) /* the shell's quoting would eat it */
		*at = '\001';
	if (!g_shell_parse_argv(line, NULL, &words, NULL))
		die("quotes", line);
	for (char **word = words; *word; word++)
		unescape(g_strdelimit(*word, "\001", '\\'));
	kind = event_kind_named(words[0]);
	if (!now.slots && strcmp(words[0], "file") != 0) {
		char *none[] = { NULL };

		begin_file(none);
	}
	if (!strcmp(words[0], "file")) {
		if (now.slots)
			end_file();
		begin_file(words + 1);
	} else if (kind) {
		add_event(kind, words + 1);
	} else if (!strcmp(words[0], "cut")) {
		now.cut = (int64_t)value_number(words[1]);
	} else if (!strcmp(words[0], "head")) {
		now.head = (int64_t)value_number(words[1]);
	} else if (!strcmp(words[0], "hole") || !strcmp(words[0], "garbage") || !strcmp(words[0], "unfinished")) {
		add_damage(words[0], words[1]);
	} else {
		die("no such word", words[0]);
	}
	g_strfreev(words);
}

int main(int argc, char **argv)
{
	char *text, **lines;

	if (argc != 3 || !g_file_get_contents(argv[1], &text, NULL, NULL)) {
		fputs("usage: golden-compile TEXT DIRECTORY\n", stderr);
		return 2;
	}
	now.directory = argv[2];
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		now.line++;
		take_line(*line);
	}
	if (now.slots)
		end_file();
	g_strfreev(lines);
	g_free(text);
	return 0;
}

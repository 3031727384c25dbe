/* For people: 80 columns. */
#include <inttypes.h>
#include <string.h>

#include "paragraph.h"
#include "ps.h"
#include "say.h"
#include "sites.h"

#define COLUMNS 80u
#define PEER_WIDTH 32u
#define PLACES 10u /* of which CLOSE-WAITs are counted */
#define FRAMES 24u /* of a thread */

static char *say_age(uint64_t ns)
{
	uint64_t s = ns / 1000000000u;

	if (!known64(ns))
		return g_strdup("-");
	if (s < 10)
		return g_strdup_printf("%" PRIu64 " ms", ns / 1000000u);
	if (s < 120)
		return g_strdup_printf("%" PRIu64 " s", s);
	if (s < 7200)
		return g_strdup_printf("%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	if (s < 172800)
		return g_strdup_printf("%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	return g_strdup_printf("%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

/* The first descriptor, and how many more there are. */
static char *say_fds(const GArray *fds)
{
	int first = g_array_index(fds, int, 0);

	return fds->len > 1 ? g_strdup_printf("%d+%u", first, fds->len - 1) : g_strdup_printf("%d", first);
}

static char *where_opened(const struct ps_socket *socket)
{
	if (socket->place)
		return g_strdup_printf("%s at %s", socket->by ? socket->by : "opened", socket->place);
	return socket->by ? g_strdup(socket->by) : NULL;
}

static void put_wrapped(FILE *out, const char *label, const char *text)
{
	char *page = paragraph_wrap(label, text, COLUMNS);

	fputs(page, out);
	g_free(page);
}

static void head(const struct ps *ps, FILE *out)
{
	const struct target *target = ps->target;
	const char *slash = strrchr(target->exe, '/');
	char *connections = say_plural(ps->list->len - ps->listeners, "TCP connection", "TCP connections");
	char *line = g_strdup_printf("%s (pid %d): %s, %u in CLOSE-WAIT%s%s", slash ? slash + 1 : target->exe,
	                             (int)target->pid, connections, ps->close_wait,
	                             target->called ? "; recorded in " : "", target->called ? target->called : "");

	put_wrapped(out, "", line);
	if (ps->lacking)
		put_wrapped(out, "  ", ps->lacking);
	g_free(line);
	g_free(connections);
}

struct place {
	char *text;
	unsigned count;
};

static int by_count(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return a->count != b->count ? (a->count > b->count ? -1 : 1) : strcmp(a->text, b->text);
}

/* Thousands of them have a handful of places: which code forgot to close? */
static void count_places(const struct ps *ps, FILE *out)
{
	GArray *places = g_array_new(FALSE, FALSE, sizeof(struct place));
	GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal); /* text -> place + 1 */

	for (unsigned i = 0; i < ps->close_wait; i++) {
		char *text = where_opened(ps->list->pdata[i]);
		unsigned at = text ? GPOINTER_TO_UINT(g_hash_table_lookup(index, text)) : 0;
		struct place place = { text ? text : g_strdup("at a place that is not known"), 1 };

		if (!text)
			at = GPOINTER_TO_UINT(g_hash_table_lookup(index, place.text));
		if (at) {
			g_array_index(places, struct place, at - 1).count++;
			g_free(place.text);
		} else {
			g_array_append_val(places, place);
			g_hash_table_insert(index, place.text, GUINT_TO_POINTER(places->len));
		}
	}
	g_hash_table_unref(index);
	g_array_sort(places, by_count);
	fputs("\nIn CLOSE-WAIT the peer has ended, and this program has not closed. Opened:\n", out);
	for (unsigned i = 0; i < places->len; i++) {
		struct place *place = &g_array_index(places, struct place, i);
		char *label = g_strdup_printf("%7u  ", place->count);

		if (i < PLACES)
			put_wrapped(out, label, place->text);
		g_free(label);
		g_free(place->text);
	}
	if (places->len > PLACES)
		fprintf(out, "         and at %u more places\n", places->len - PLACES);
	g_array_unref(places);
}

static const char *what_more(const struct socket_now *now)
{
	if (now->state == HC_STATE_close_wait)
		return now->eof_unread ? "end of file not read" : "end of file read";
	return now->state == HC_STATE_closed ? "reset, or timed out, and not closed" : NULL;
}

static void row(const struct ps_socket *socket, FILE *out)
{
	const struct socket_now *now = socket->now;
	const char *state = value_name(FIELD_state, now->state);
	char *fds = say_fds(socket->fds), *age = say_age(socket->age), *unread = say_count(now->unread),
	     *unsent = say_count(now->unsent), *local = say_address(&now->local), *peer = say_address(&now->peer),
	     *opened = where_opened(socket), *rest;
	const char *more = what_more(now);
	bool narrow = !peer || strlen(peer) <= PEER_WIDTH;

	fprintf(out, "%-12s %4s %8s %9s %9s  %s\n", state ? state : "?", fds, age, unread, unsent,
	        narrow && peer ? peer : "");
	if (!narrow)
		fprintf(out, "             peer %s\n", peer);
	rest = g_strdup_printf("at %s%s%s%s%s", local ? local : "?", more ? ", " : "", more ? more : "",
	                       opened ? ", " : "", opened ? opened : "");
	put_wrapped(out, "             ", rest);
	g_free(rest);
	g_free(opened);
	g_free(fds);
	g_free(age);
	g_free(unread);
	g_free(unsent);
	g_free(local);
	g_free(peer);
}

static void listener(const struct ps_socket *socket, FILE *out)
{
	const struct socket_now *now = socket->now;
	char *fds = say_fds(socket->fds), *age = say_age(socket->age), *waiting = say_count(now->unread),
	     *most = known64(now->unsent) ? say_count(now->unsent) : g_strdup("-"), *local = say_address(&now->local);

	fprintf(out, "%-12s %4s %8s %9s %9s  %s\n", "LISTEN", fds, age, waiting, most, local);
	g_free(fds);
	g_free(age);
	g_free(waiting);
	g_free(most);
	g_free(local);
}

static void thread_lines(const struct thread *thread, FILE *out)
{
	static const struct {
		char letter;
		const char *word;
	} words[] = { { 'R', "running" }, { 'S', "asleep" }, { 'D', "waiting in the kernel" },
		      { 'T', "stopped" }, { 't', "traced" }, { 'Z', "a zombie" },
		      { 'I', "idle" } };
	GArray *frames = g_array_copy(thread->frames);
	char *name = say_text(thread->name, strlen(thread->name));
	const char *word = "";

	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		if (words[i].letter == thread->state)
			word = words[i].word;
	fprintf(out, "  %d %s%s%s\n", (int)thread->tid, name, *word ? ", " : "", word);
	g_free(name);
	if (thread->problem)
		put_wrapped(out, "      ", thread->problem);
	site_interleave(frames);
	for (unsigned i = 0; i < frames->len && i < FRAMES; i++) {
		char *frame = paragraph_frame(&g_array_index(frames, struct frame, i));
		char *line = paragraph_cut(frame, COLUMNS - 6);

		fprintf(out, "      %s\n", line);
		g_free(line);
		g_free(frame);
	}
	if (frames->len > FRAMES)
		fprintf(out, "      and %u more\n", frames->len - FRAMES);
	g_array_unref(frames);
}

void ps_text(const struct ps *ps, FILE *out, bool first)
{
	unsigned connections = ps->list->len - ps->listeners;

	if (!first)
		fputc('\n', out);
	head(ps, out);
	if (ps->close_wait > 1)
		count_places(ps, out);
	if (connections)
		fputs("\nSTATE          FD      AGE    UNREAD   UNACKED  PEER\n", out);
	for (unsigned i = 0; i < connections; i++)
		row(ps->list->pdata[i], out);
	if (ps->listeners)
		fputs("\nSTATE          FD      AGE   WAITING   AT MOST  LOCAL\n", out);
	for (unsigned i = connections; i < ps->list->len; i++)
		listener(ps->list->pdata[i], out);
	if (ps->threads)
		fputs("\nThreads, at this moment:\n", out);
	for (unsigned i = 0; ps->threads && i < ps->threads->len; i++)
		thread_lines(ps->threads->pdata[i], out);
}

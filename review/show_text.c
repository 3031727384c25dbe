/* For people. */
#include <inttypes.h>
#include <string.h>

#include "ladder_text.h"
#include "paragraph.h"
#include "recording.h"
#include "say.h"
#include "show.h"
#include "terminal.h"

#define FRAMES 6u /* of a stack */

struct page {
	GString *text;
	struct ladder_style style;
};

static struct page page_for(FILE *out)
{
	struct page page = { .text = g_string_new(NULL) };
	unsigned rows;

	page.style.colour = terminal_colour(out);
	page.style.utf8 = terminal_is_utf8();
	terminal_size(out, &page.style.columns, &rows);
	page.style.columns = MAX(page.style.columns, 40);
	return page;
}

static void write_page(struct page *page, FILE *out)
{
	fwrite(page->text->str, 1, page->text->len, out);
	g_string_free(page->text, TRUE);
}

static const char *bold(const struct page *page)
{
	return page->style.colour ? "\033[1m" : "";
}

static const char *plain(const struct page *page)
{
	return page->style.colour ? "\033[0m" : "";
}

static const char *colour_of(const struct page *page, const struct rule *rule)
{
	return page->style.colour && rule ? terminal_severity(rule->severity) : "";
}

static void paragraph(struct page *page, const char *label, const char *text)
{
	char *wrapped = paragraph_wrap(label, text, page->style.columns);

	g_string_append(page->text, wrapped);
	g_free(wrapped);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- one ---- */

static const char *role_of(const struct connection *connection)
{
	if (connection->listener)
		return "a listener";
	return connection->accepted                              ? "accepted"
	       : connection->connected || connection->connecting ? "connected"
	                                                         : "adopted";
}

static void write_ends(struct page *page, const struct connection *connection)
{
	char *local = connection_local(connection), *peer = connection_peer(connection);
	const char *program = connection->program && *connection->program ? connection->program : "an unknown program";
	char *text = g_strdup_printf("%s, %s %s%s%s", program, role_of(connection), local ? local : "-",
	                             peer ? connection->accepted ? " from " : " to " : "", peer ? peer : "");

	paragraph(page, "  in    ", text);
	g_free(text);
	g_free(peer);
	g_free(local);
}

static char *duration(uint64_t ns)
{
	if (ns < 1000000)
		return g_strdup_printf("%" PRIu64 " us", ns / 1000);
	if (ns < 1000000000)
		return g_strdup_printf("%.3f ms", (double)ns / 1e6);
	return g_strdup_printf("%.3f s", (double)ns / 1e9);
}

/* The order of an event is on the clock of the first file; a connection's events know their own. */
static void write_times(struct page *page, const struct shown *shown)
{
	const struct event *close = shown->connection->close;
	bool one = shown->ladder && shown->ladder->born && !shown->connection->listener;
	uint64_t born = one ? shown->ladder->born : shown->connection->born;
	char *start = say_time(born), *long_, *text;

	start[strlen("2000-01-01T00:00:00.000000")] = '\0';
	long_ = close ? duration(close->order - MIN(born, close->order)) : NULL;
	text = close ? g_strdup_printf("%sZ; closed after %s, pid %u, fd %d", start, long_, close->record.pid,
	                               close->close.socket.fd)
	             : g_strdup_printf("%sZ; pid %u, fd %d", start, shown->connection->pid, shown->connection->fd);
	paragraph(page, "  start ", text);
	g_free(text);
	g_free(long_);
	g_free(start);
}

static void write_site(struct page *page, const struct shown *shown)
{
	const char *how = shown->connection->close ? value_name(FIELD_how, shown->connection->close->close.how) : NULL;
	char *text;

	if (!shown->connection->close)
		return;
	if (!shown->place) {
		text = g_strdup_printf("%s (no stack was recorded; with HALFCLOSE_STACK=all each is)",
		                       how ? how : "unknown");
		paragraph(page, "  at    ", text);
		g_free(text);
		return;
	}
	paragraph(page, "  at    ", shown->place);
	for (unsigned i = 1; i < shown->site->len && i < FRAMES; i++) {
		char *frame = paragraph_frame(&g_array_index(shown->site, struct frame, i));

		paragraph(page, "        ", frame);
		g_free(frame);
	}
}

/* whose: "" for this end's. */
static void write_finding(struct page *page, const struct rule *rule, const struct connection *connection,
                          const char *whose)
{
	uint64_t bytes = rule->bytes ? rule->bytes(connection) : 0;
	char *size = say_plural(bytes, "byte", "bytes"), *lost = g_strdup_printf("%s %s", size, rule->lost);

	g_string_append_printf(page->text, "\n%s%s%s: %s%s\n", colour_of(page, rule), severity_name(rule->severity),
	                       whose, rule->title, plain(page));
	if (bytes)
		paragraph(page, "  lost  ", lost);
	paragraph(page, "  what  ", rule->means);
	paragraph(page, "  peer  ", rule->peer);
	paragraph(page, "  cure  ", rule->advice);
	g_free(lost);
	g_free(size);
}

static void write_other(struct page *page, const struct connection *other)
{
	char *text;

	if (!other)
		return;
	text = g_strdup_printf("#%u, %s: %s", other->number,
	                       other->program && *other->program ? other->program : "an unknown program",
	                       teardown_name(other->teardown));
	paragraph(page, "  other ", text);
	g_free(text);
}

static void write_head(struct page *page, const struct shown *shown)
{
	const struct connection *connection = shown->connection;
	enum teardown teardown = connection->teardown;
	struct harm harm = show_harm(connection);
	bool one = connection_is_one(connection);

	g_string_append_printf(page->text, "%s%s#%u %s%s%s%s\n", bold(page), colour_of(page, harm.rule),
	                       connection->number,
	                       one         ? teardown_name(teardown)
	                       : harm.rule ? harm.rule->id
	                                   : "no connection",
	                       plain(page), one || harm.rule ? ": " : "",
	                       one         ? teardown_meaning(teardown)
	                       : harm.rule ? harm.rule->title
	                                   : "");
	write_ends(page, connection);
	write_other(page, connection->other);
	write_times(page, shown);
	write_site(page, shown);
}

static void write_findings(struct page *page, const struct connection *connection)
{
	const struct connection *other = connection->other;
	char *whose = other ? g_strdup_printf(" of the other end, #%u", other->number) : NULL;

	for (const struct rule *rule = rules; rule->id; rule++) {
		if (connection->close && rule->applies(connection))
			write_finding(page, rule, connection, "");
		if (other && other->close && rule->applies(other))
			write_finding(page, rule, other, whose);
	}
	g_free(whose);
}

static void write_ladders(struct page *page, const struct shown *shown, bool cured)
{
	if (!shown->ladder)
		return;
	g_string_append_c(page->text, '\n');
	ladder_to_text(shown->ladder, &page->style, page->text);
	write_findings(page, shown->connection);
	if (cured && shown->cured) {
		g_string_append_printf(page->text, "\n%sThe same with a graceful close:%s\n\n", bold(page),
		                       plain(page));
		ladder_to_text(shown->cured, &page->style, page->text);
	} else if (cured) {
		g_string_append(page->text,
		                "\nIts end was graceful, or not this side's to mend: there is no better one.\n");
	}
}

void show_one_text(const struct shown *shown, bool cured, FILE *out)
{
	struct page page = page_for(out);

	write_head(&page, shown);
	write_ladders(&page, shown, cured);
	write_page(&page, out);
}

/* ---- many ---- */

/* "gunicorn :80 from 10.0.0.1:4711", "curl to 10.0.0.1:80" */
static char *ends_text(const struct connection *connection)
{
	char *local = connection_local(connection), *peer = connection_peer(connection), *program, *text;

	program = paragraph_cut(connection->program && *connection->program ? base_name(connection->program) : "?", 15);
	if (connection->local.family && peer && connection->accepted)
		text = g_strdup_printf("%s :%u from %s", program, connection->local.port, peer);
	else if (peer)
		text = g_strdup_printf("%s to %s", program, peer);
	else
		text = g_strdup_printf("%s %s", program, local ? local : "-");
	g_free(program);
	g_free(peer);
	g_free(local);
	return text;
}

static void write_line(struct page *page, const struct connection *connection)
{
	struct harm harm = show_harm(connection);
	char *ends = ends_text(connection), *bytes = say_count(harm.bytes), *label;
	const char *what = connection_is_one(connection) ? teardown_name(connection->teardown) : harm.rule->id;
	unsigned column;

	label = g_strdup_printf("%6u %-14s %9s  ", connection->number, what, harm.bytes ? bytes : "");
	column = (unsigned)strlen(label);
	if (column + g_utf8_strlen(ends, -1) <= page->style.columns) {
		g_string_append_printf(page->text, "%s%s%s%s\n", colour_of(page, harm.rule), label, plain(page), ends);
	} else {
		g_string_append_printf(page->text, "%s%s%s\n", colour_of(page, harm.rule), g_strchomp(label),
		                       plain(page));
		paragraph(page, "       ", ends);
	}
	g_free(label);
	g_free(bytes);
	g_free(ends);
}

void show_list_text(const struct worst *worst, FILE *out)
{
	struct page page = page_for(out);
	char *rest;

	if (worst->count)
		g_string_append_printf(page.text, "%s  SOCK TEARDOWN       BYTES LOST WHERE%s\n", bold(&page),
		                       plain(&page));
	else
		g_string_append(page.text, "No connection was recorded.\n");
	for (unsigned i = 0; i < worst->list->len; i++)
		write_line(&page, worst->list->pdata[i]);
	if (worst->count > worst->list->len) {
		rest = say_count(worst->count - worst->list->len);
		g_string_append_printf(page.text, "and %s more, none of them worse: --lines NUMBER\n", rest);
		g_free(rest);
	}
	write_page(&page, out);
}

#include "top_page.h"

#include <string.h>

#include "paragraph.h"
#include "say.h"
#include "terminal.h"

#define HISTORY 16u  /* seconds of the little curves */
#define PROGRAMS 5u  /* rows of them, at most, while there are sites to show */
#define ROOMY 14u    /* rows from which on there are programs, too */
#define WIDE 64u     /* columns from which on a program has all its numbers */
#define FINDINGS 20u /* rows, where there is no terminal to fill */
#define LABEL 12     /* columns of "connections" and a space */

struct sheet {
	const struct top *top;
	const struct top_view *view;
	const char *newline;
	GString *page;
	unsigned used; /* rows */
};

static unsigned rows_left(const struct sheet *sheet)
{
	return sheet->view->rows ? sheet->view->rows - MIN(sheet->used, sheet->view->rows) : UINT_MAX;
}

static void add_row(struct sheet *sheet, const char *colour, const char *text)
{
	char *cut;

	if (!rows_left(sheet))
		return;
	cut = paragraph_cut(text, MAX(sheet->view->columns, 4));
	if (sheet->used++)
		g_string_append(sheet->page, sheet->newline);
	if (sheet->view->colour && *colour)
		g_string_append_printf(sheet->page, "%s%s\033[0m", colour, cut);
	else
		g_string_append(sheet->page, g_strchomp(cut));
	g_free(cut);
}

/* As many of the parts as there is room for, NULL behind the last. Frees them. */
static void add_parts(struct sheet *sheet, const char *colour, const char *label, char **parts)
{
	GString *text = g_string_new(NULL);

	g_string_printf(text, "%-*s", LABEL, label);
	for (char **part = parts; *part; part++) {
		const char *gap = part == parts ? "" : "  ";

		if (!**part)
			continue;
		if (g_utf8_strlen(text->str, -1) + (glong)strlen(gap) + g_utf8_strlen(*part, -1) >
		    (glong)sheet->view->columns)
			break;
		g_string_append_printf(text, "%s%s", gap, *part);
	}
	add_row(sheet, colour, text->str);
	g_string_free(text, TRUE);
	for (char **part = parts; *part; part++)
		g_free(*part);
}

static const char *bold(void)
{
	return "\033[1m";
}

static const char *heading(void)
{
	return "\033[7m";
}

static char *count_of(uint64_t number, const char *what)
{
	char *count = say_count(number), *text = g_strconcat(count, " ", what, NULL);

	g_free(count);
	return text;
}

/* ---- rates ---- */

static unsigned of_second(const struct top *top, uint64_t second, bool abrupt)
{
	struct top_second at = top_second_of(top, second);

	return abrupt ? at.abrupt : at.born;
}

/* In the last whole second; of a recording that is over, on average. */
static char *rate(const struct sheet *sheet, bool abrupt)
{
	const struct top *top = sheet->top;
	uint64_t second = sheet->view->now / 1000000000u, total = abrupt ? top->abrupt : top->born;
	double long_;
	char *number, *text;

	if (!sheet->view->now) {
		long_ = (double)(top->last - top->first) / 1e9;
		return g_strdup_printf("%8.1f/s", long_ > 1 ? (double)total / long_ : (double)total);
	}
	number = say_count(of_second(top, second - 1, abrupt));
	text = g_strdup_printf("%8s/s", number);
	g_free(number);
	return text;
}

/* A bar for each of the last seconds. */
static char *curve(const struct sheet *sheet, bool abrupt)
{
	uint64_t second = sheet->view->now / 1000000000u;
	unsigned most = 0;
	GString *text;

	if (!sheet->view->now || !sheet->view->utf8 || sheet->view->columns < WIDE || second <= HISTORY)
		return g_strdup("");
	for (unsigned i = 1; i <= HISTORY; i++)
		most = MAX(most, of_second(sheet->top, second - i, abrupt));
	text = g_string_new(NULL);
	for (unsigned i = HISTORY; i; i--) {
		unsigned count = of_second(sheet->top, second - i, abrupt);

		if (count)
			g_string_append_unichar(text, 0x2581 + (gunichar)((uint64_t)count * 7 / most));
		else
			g_string_append_c(text, ' ');
	}
	return g_string_free(text, FALSE);
}

/* ---- the totals ---- */

static void add_title(struct sheet *sheet)
{
	const struct top_view *view = sheet->view;
	char *time = say_time(view->now), *left, *row;
	glong gap;

	left = g_strdup_printf("halfclose top: %s", view->title);
	time[strlen("2000-01-01T00:00:00")] = '\0';
	gap = (glong)view->columns - g_utf8_strlen(left, -1) - (glong)strlen("00:00:00Z  q: quit");
	if (view->now && gap >= 2)
		row = g_strdup_printf("%s%*s%sZ  q: quit", left, (int)gap, "", time + strlen("2000-01-01T"));
	else
		row = g_strdup(left);
	add_row(sheet, bold(), row);
	g_free(row);
	g_free(left);
	g_free(time);
}

static void add_totals(struct sheet *sheet)
{
	const struct top *top = sheet->top;
	const uint64_t *outcomes = top->connections->outcomes;
	const char *red = terminal_severity(SEVERITY_error);
	char *connections[] = { rate(sheet, false),
		                curve(sheet, false),
		                count_of(top->born, "in all"),
		                count_of(top->open, "open now"),
		                count_of(top->half_closed, "half-closed"),
		                NULL };
	char *abrupt[] = { rate(sheet, true),
		           curve(sheet, true),
		           count_of(top->abrupt, "in all"),
		           count_of(outcomes[HC_OUTCOME_reset_unread], "unread"),
		           count_of(outcomes[HC_OUTCOME_reset_linger], "linger 0"),
		           count_of(outcomes[HC_OUTCOME_backlog], "queues"),
		           NULL };
	char *draining[] = { count_of(top->draining, "now"), count_of(top->drains, "done"),
		             count_of(top->saved, "bytes saved"), NULL };
	char *lost[] = { count_of(top->lost, "lost to a peer"), count_of(top->unread, "never read"), NULL };

	add_parts(sheet, "", "connections", connections);
	add_parts(sheet, top->abrupt ? red : "", "abrupt", abrupt);
	add_parts(sheet, "", "draining", draining);
	add_parts(sheet, top->lost ? red : "", "bytes lost", lost);
}

/* ---- the tables ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	path = slash ? slash + 1 : path;
	return *path ? path : "(unknown)";
}

static void add_program(struct sheet *sheet, const char *colour, const char *name, const char *const *numbers)
{
	static const int widths[] = { 9, 9, 11, 8, 16 };
	static const bool always[] = { true, true, false, false, false };
	unsigned columns = sheet->view->columns, used = 0;
	GString *row = g_string_new(NULL);
	char *cut;

	for (unsigned i = 0; i < G_N_ELEMENTS(widths); i++)
		if (always[i] || columns >= WIDE)
			used += (unsigned)widths[i];
	cut = paragraph_cut(name, columns > used + 4 ? columns - used : 4);
	g_string_append_printf(row, "%s%*s", cut, MAX((int)(columns - used) - (int)g_utf8_strlen(cut, -1), 0), "");
	for (unsigned i = 0; i < G_N_ELEMENTS(widths); i++)
		if (always[i] || columns >= WIDE)
			g_string_append_printf(row, "%*s", widths[i], numbers[i]);
	add_row(sheet, colour, row->str);
	g_free(cut);
	g_string_free(row, TRUE);
}

static void add_programs(struct sheet *sheet, unsigned most)
{
	static const char *const names[] = { "ABRUPT", "OPEN", "IN ALL", "DRAIN", "BYTES LOST" };
	const GPtrArray *programs = sheet->top->programs;

	add_row(sheet, "", "");
	add_program(sheet, heading(), "PROGRAM", names);
	for (unsigned i = 0; i < programs->len && i < most; i++) {
		const struct top_program *program = programs->pdata[i];
		char *numbers[] = { say_count(program->abrupt), say_count(program->open), say_count(program->born),
			            say_count(program->draining), say_count(program->bytes) };

		add_program(sheet, "", base_name(program->name), (const char *const *)numbers);
		for (unsigned k = 0; k < G_N_ELEMENTS(numbers); k++)
			g_free(numbers[k]);
	}
}

static void add_site(struct sheet *sheet, const struct top_site *site)
{
	char *count = say_count(site->count), *row;

	if (sheet->view->columns >= WIDE)
		row = g_strdup_printf("%9s %-14s %s, in %s", count, site->rule->id, site->place,
		                      base_name(site->program));
	else
		row = g_strdup_printf("%6s %s", count, site->place);
	add_row(sheet, terminal_severity(site->rule->severity), row);
	g_free(row);
	g_free(count);
}

static void add_sites(struct sheet *sheet)
{
	const GPtrArray *sites = sheet->top->sites;
	unsigned columns = sheet->view->columns, room;
	char *row;

	if (rows_left(sheet) < 2)
		return;
	row = columns >= WIDE ? g_strdup_printf("%9s %-14s %-*s", "TIMES", "FINDING", (int)columns - 25, "WORST PLACES")
	                      : g_strdup_printf("%6s %-*s", "TIMES", (int)columns - 7, "WORST PLACES");
	add_row(sheet, heading(), row);
	g_free(row);
	if (!sites->len)
		add_row(sheet, "", "          nothing abrupt so far");
	room = MIN(rows_left(sheet) == UINT_MAX ? FINDINGS : rows_left(sheet), sites->len);
	for (unsigned i = 0; i < room; i++)
		add_site(sheet, sites->pdata[i]);
}

void top_page(const struct top *top, const struct top_view *view, const char *newline, GString *page)
{
	struct top_view body = *view;
	struct sheet sheet = { .top = top, .view = &body, .newline = newline, .page = page };
	unsigned programs = PROGRAMS;

	if (view->message && view->rows > 2)
		body.rows--;
	add_title(&sheet);
	add_totals(&sheet);
	if (!body.rows || rows_left(&sheet) >= ROOMY - 5) {
		if (body.rows && rows_left(&sheet) < PROGRAMS + ROOMY - 5)
			programs = rows_left(&sheet) - 7;
		add_programs(&sheet, body.rows ? programs : UINT_MAX);
		add_row(&sheet, "", "");
	}
	add_sites(&sheet);
	body.rows = view->rows;
	if (view->message)
		add_row(&sheet, bold(), view->message);
}

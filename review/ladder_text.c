/*
 *       time   state │ call() ─────── what crosses ───────> │ state
 *
 * Who connected stands on the left. What was not recorded has no time and is dim.
 */
#include "ladder_text.h"

#include <inttypes.h>
#include <string.h>

#include "events.h"
#include "paragraph.h"

#define WIDEST 132u
#define TIME 10u  /* columns of "+1.234 ms" */
#define STATE 12u /* of "SYN-RECEIVED" */
#define FRAME 9u  /* of an arrow, at least: its head, and on both sides of its word a space and three dashes */

struct drawing {
	const struct ladder *ladder;
	const struct ladder_style *style;
	GString *page;
	unsigned room; /* columns between the two lines */
	uint8_t shown[LADDER_ENDS];
	bool any, supposing;
};

struct signs {
	const char *line, *dash, *gap, *lost;
};

static const struct signs *signs_of(const struct drawing *drawing)
{
	static const struct signs plain = { "|", "-", "- ", "x" }, fine = { "│", "─", "╌", "✗" };

	return drawing->style->utf8 ? &fine : &plain;
}

static unsigned width_of(const char *text)
{
	return (unsigned)g_utf8_strlen(text, -1);
}

static void spaces(GString *page, unsigned count)
{
	g_string_append_printf(page, "%*s", (int)count, "");
}

static const char *paint(const struct drawing *drawing, const struct ladder_step *step)
{
	if (!drawing->style->colour)
		return "";
	if (step->alarming)
		return "\033[1;31m";
	return step->order ? "" : "\033[2m";
}

static const char *plain(const struct drawing *drawing)
{
	return drawing->style->colour ? "\033[0m" : "";
}

static enum ladder_end left_of(const struct ladder *ladder)
{
	return ladder->client;
}

static enum ladder_end right_of(const struct ladder *ladder)
{
	return ladder->client == LADDER_TRACED ? LADDER_PEER : LADDER_TRACED;
}

/* ---- the head ---- */

static char *name_of(const struct ladder *ladder, enum ladder_end end)
{
	return g_strdup(ladder->names[end] ? ladder->names[end] : "(not recorded)");
}

/* Two texts, at the two lines; each on a row of its own where they are too long. */
static void two_sides(struct drawing *drawing, const char *left, const char *right)
{
	unsigned columns = drawing->room + 4, used, wanted;
	char *from, *to;

	if (!*left && !*right)
		return;
	from = paragraph_cut(left, columns);
	to = paragraph_cut(right, columns);
	used = width_of(from);
	wanted = width_of(to);
	spaces(drawing->page, TIME + 1 + STATE + 1);
	g_string_append(drawing->page, from);
	if (used + 2 + wanted > columns) {
		unsigned most = TIME + 1 + STATE + 1 + columns;

		g_string_append_c(drawing->page, '\n');
		spaces(drawing->page, most > wanted ? most - wanted : 0);
	} else {
		spaces(drawing->page, columns - used - wanted);
	}
	g_string_append_printf(drawing->page, "%s\n", to);
	g_free(from);
	g_free(to);
}

static void draw_head(struct drawing *drawing)
{
	const struct ladder *ladder = drawing->ladder;
	char *left = name_of(ladder, left_of(ladder)), *right = name_of(ladder, right_of(ladder));
	const char *from = ladder->addresses[left_of(ladder)], *to = ladder->addresses[right_of(ladder)];

	two_sides(drawing, left, right);
	two_sides(drawing, from ? from : "", to ? to : "");
	g_free(left);
	g_free(right);
}

/* ---- a row ---- */

static char *time_text(const struct drawing *drawing, uint64_t order)
{
	uint64_t ns = order - drawing->ladder->born;

	if (!order)
		return g_strdup("");
	if (ns < 1000000)
		return g_strdup_printf("+%" PRIu64 " us", ns / 1000);
	if (ns < 100000000)
		return g_strdup_printf("+%" PRIu64 ".%03" PRIu64 " ms", ns / 1000000, ns / 1000 % 1000);
	if (ns < 1000000000)
		return g_strdup_printf("+%" PRIu64 ".%02" PRIu64 " ms", ns / 1000000, ns / 10000 % 100);
	if (ns < UINT64_C(100000000000))
		return g_strdup_printf("+%" PRIu64 ".%03" PRIu64 " s", ns / 1000000000, ns / 1000000 % 1000);
	if (ns < UINT64_C(10000000000000000))
		return g_strdup_printf("+%" PRIu64 " s", ns / 1000000000);
	return g_strdup_printf("+%" PRIu64 " h", ns / UINT64_C(3600000000000));
}

/* The name of an end's state where it is another than in the row before. */
static const char *state_text(struct drawing *drawing, const struct ladder_step *step, enum ladder_end end)
{
	const char *name = value_name(FIELD_state, step->states[end]);
	bool same = drawing->any && drawing->shown[end] == step->states[end];

	drawing->shown[end] = step->states[end];
	if (same)
		return "";
	return name ? name : step->states[end] == HC_STATE_unknown && drawing->any ? "?" : "";
}

static void dashes(const struct drawing *drawing, const struct ladder_step *step, unsigned count)
{
	const struct signs *signs = signs_of(drawing);

	for (unsigned i = 0; i < count; i++) {
		if (!step->supposed)
			g_string_append(drawing->page, signs->dash);
		else if (drawing->style->utf8)
			g_string_append(drawing->page, signs->gap);
		else
			g_string_append_c(drawing->page, i % 2 ? ' ' : '-');
	}
}

/* "──── FIN ────>", to fill so many columns. */
static void draw_arrow(const struct drawing *drawing, const struct ladder_step *step, bool to_right, unsigned columns)
{
	char *wire = paragraph_cut(step->wire, columns - FRAME + 2); /* a dash less on each side before a word is cut */
	unsigned blank = columns - 1 - width_of(wire) - 2, left = blank / 2;
	const char *lost = signs_of(drawing)->lost;

	if (!to_right)
		g_string_append(drawing->page, step->lost ? lost : "<");
	dashes(drawing, step, left);
	g_string_append_printf(drawing->page, " %s ", wire);
	dashes(drawing, step, blank - left);
	if (to_right)
		g_string_append(drawing->page, step->lost ? lost : ">");
	g_free(wire);
}

/* What stands between the two lines: the call on its side, the arrow in the rest. */
static void draw_middle(const struct drawing *drawing, const struct ladder_step *step, const char *call, bool arrow)
{
	bool on_left = step->end == left_of(drawing->ladder);
	char *cut = paragraph_cut(call, drawing->room - 1);
	unsigned used = *cut ? width_of(cut) + 1 : 0, rest = drawing->room - used;

	if (on_left && used)
		g_string_append_printf(drawing->page, "%s ", cut);
	if (arrow)
		draw_arrow(drawing, step, on_left, rest);
	else
		spaces(drawing->page, rest);
	if (!on_left && used)
		g_string_append_printf(drawing->page, " %s", cut);
	g_free(cut);
}

static void end_row(struct drawing *drawing)
{
	while (drawing->page->len && drawing->page->str[drawing->page->len - 1] == ' ')
		g_string_truncate(drawing->page, drawing->page->len - 1);
	g_string_append_c(drawing->page, '\n');
}

static void draw_row(struct drawing *drawing, const struct ladder_step *step, const char *time, const char *left,
                     const char *right, const char *call, bool arrow)
{
	const char *line = signs_of(drawing)->line;

	g_string_append_printf(drawing->page, "%*s %*s %s %s", (int)TIME, time, (int)STATE, left, line,
	                       paint(drawing, step));
	draw_middle(drawing, step, call, arrow);
	g_string_append_printf(drawing->page, "%s %s %s", plain(drawing), line, right);
	end_row(drawing);
}

/* One row; a call that leaves too little of it for its arrow has one of its own. */
static void draw_rows(struct drawing *drawing, const struct ladder_step *step)
{
	const char *left = state_text(drawing, step, left_of(drawing->ladder)),
		   *right = state_text(drawing, step, right_of(drawing->ladder));
	const char *call = step->call ? step->call : "";
	bool arrow = step->arrow != LADDER_NO_ARROW;
	char *time = time_text(drawing, step->order);

	drawing->any = true;
	if (arrow && *call && width_of(call) + 1 + width_of(step->wire) + FRAME > drawing->room) {
		draw_row(drawing, step, time, "", "", call, false);
		draw_row(drawing, step, "", left, right, "", true);
	} else {
		draw_row(drawing, step, time, left, right, call, arrow);
	}
	g_free(time);
}

/* "10 bytes unread", under the call and on its side; in rows of what fits. */
static void draw_buffers(struct drawing *drawing, const struct ladder_step *step, enum ladder_end end)
{
	const char *line = signs_of(drawing)->line;
	char **words = g_strsplit(step->buffers[end], ", ", -1);

	for (char **word = words; *word; word++) {
		char *cut = paragraph_cut(*word, drawing->room - 2);
		unsigned blank = drawing->room - width_of(cut) - 2;
		bool on_left = end == left_of(drawing->ladder);

		spaces(drawing->page, TIME + 1 + STATE + 1);
		g_string_append_printf(drawing->page, "%s %s", line, paint(drawing, step));
		spaces(drawing->page, on_left ? 2 : blank);
		g_string_append(drawing->page, cut);
		spaces(drawing->page, on_left ? blank : 2);
		g_string_append_printf(drawing->page, "%s %s\n", plain(drawing), line);
		g_free(cut);
	}
	g_strfreev(words);
}

static void draw_step(struct drawing *drawing, const struct ladder_step *step)
{
	if (step->supposed && !drawing->supposing)
		g_string_append(drawing->page,
		                "  What comes now is not recorded. Where the other end ends well, it is:\n");
	drawing->supposing = step->supposed;
	draw_rows(drawing, step);
	for (unsigned i = 0; i < LADDER_ENDS; i++)
		if (step->buffers[i])
			draw_buffers(drawing, step, (enum ladder_end)i);
}

void ladder_to_text(const struct ladder *ladder, const struct ladder_style *style, GString *page)
{
	unsigned columns = CLAMP(style->columns, LADDER_COLUMNS, WIDEST);
	struct drawing drawing = { .ladder = ladder, .style = style, .page = page };

	drawing.room = columns - TIME - 1 - STATE - 1 - 2 - 2 - 1 - STATE;
	draw_head(&drawing);
	for (unsigned i = 0; i < ladder->steps->len; i++)
		draw_step(&drawing, &g_array_index(ladder->steps, struct ladder_step, i));
}

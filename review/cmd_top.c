#include <stdio.h>
#include <string.h>

#include "command.h"
#include "follow.h"
#include "say.h"
#include "screen.h"
#include "terminal.h"
#include "top_page.h"

#define MESSAGE_US 10000000 /* how long what became of a file stands on the page */

static double seconds = 1;
static gboolean once;

static const GOptionEntry entries[] = {
	{ "delay", 'd', 0, G_OPTION_ARG_DOUBLE, &seconds, "how long a page stands (1)", "SECONDS" },
	{ "once", '1', 0, G_OPTION_ARG_NONE, &once, "one page of all that is recorded by now, and an end", NULL },
	{ 0 },
};

const GOptionEntry *top_options(void)
{
	return entries;
}

static char *title_of(char *const *paths)
{
	char *name = g_path_get_basename(*paths), *title;
	unsigned more = g_strv_length((char **)paths) - 1;

	title = more ? g_strdup_printf("%s and %u more", name, more) : g_strdup(name);
	g_free(name);
	return title;
}

static void read_until(struct top *top, struct timeline *timeline, uint64_t until)
{
	struct event *event;

	while (!follow_over() && (event = timeline_next(timeline, until))) {
		top_event(top, event);
		g_free(event);
	}
	top_look(top);
}

static void begin(struct top *top, struct timeline *timeline)
{
	timeline->early = processes_module_event;
	timeline->early_data = top->processes;
}

/* ---- one page ---- */

static int print_once(char *const *paths, const char *title)
{
	struct timeline *timeline = timeline_open(paths);
	struct top *top = top_new();
	GString *page = g_string_new(NULL);
	struct top_view view = { .title = title };
	int status = timeline->problems ? STATUS_FAILED : STATUS_OK;

	begin(top, timeline);
	if (timeline->recordings->len) {
		progress_begin(&timeline->progress, NULL);
		read_until(top, timeline, UINT64_MAX);
		progress_end(&timeline->progress);
		terminal_size(stdout, &view.columns, &view.rows);
		view.rows = 0;
		view.colour = terminal_colour(stdout);
		view.utf8 = terminal_is_utf8();
		top_page(top, &view, "\n", page);
		printf("%s\n", page->str);
		timeline_tell_damage(timeline);
	}
	g_string_free(page, TRUE);
	top_free(top);
	timeline_free(timeline);
	return status;
}

/* ---- a page after the other ---- */

struct message {
	char *text;   /* the last that was said of the files; NULL: none yet */
	gint64 until; /* g_get_monotonic_time() */
};

static void take_message(const char *text, void *data)
{
	struct message *message = data;

	g_free(message->text);
	message->text = g_strdup(text);
	message->until = g_get_monotonic_time() + MESSAGE_US;
}

/* Where nothing was read yet, it stays: it says why. */
static const char *message_now(const struct message *message, const struct top *top)
{
	return !top->first || g_get_monotonic_time() < message->until ? message->text : NULL;
}

static bool draw(const struct top *top, const struct top_view *view)
{
	struct top_view sized = *view;
	GString *page = g_string_new("\033[H");
	bool drawn;

	terminal_size(stdout, &sized.columns, &sized.rows);
	/* what stood there before goes away row by row: nothing is ever empty for the eye */
	top_page(top, &sized, "\033[K\r\n", page);
	g_string_append(page, "\033[K\033[J");
	drawn = screen_draw(page->str, page->len);
	g_string_free(page, TRUE);
	return drawn;
}

/* True: it goes on. Keys and a new size come at any time, the next page at its own. */
static bool wait_until(gint64 next, const struct top *top, const struct top_view *view)
{
	for (;;) {
		gint64 left = next - g_get_monotonic_time();
		char key = 0;

		switch (screen_wait(left > 0 ? (unsigned)((left + 999) / 1000) : 0, &key)) {
		case SCREEN_END:
			return false;
		case SCREEN_KEY:
			if (key == 'q' || key == 'Q')
				return false;
			break;
		case SCREEN_CHANGED:
			if (!draw(top, view))
				return false;
			break;
		default:
			return true;
		}
		if (left <= 0)
			return true;
	}
}

static uint64_t now_of(const struct follow *following, const struct top *top)
{
	uint64_t now = timeline_moment(following->timeline, 0);

	return now == UINT64_MAX ? top->last : now; /* of an earlier boot: it ended then */
}

static void show_pages(struct top *top, struct follow *following, const char *title, const struct message *message)
{
	struct top_view view = { .title = title, .colour = terminal_colour(stdout), .utf8 = terminal_is_utf8() };
	bool more = true;
	gint64 next;

	progress_begin(&following->timeline->progress, NULL);
	follow_refresh(following);
	read_until(top, following->timeline, follow_settled(following));
	progress_end(&following->timeline->progress);
	if (follow_over() || !screen_open())
		return;
	while (more) {
		next = g_get_monotonic_time() + (gint64)(seconds * 1e6);
		follow_refresh(following);
		read_until(top, following->timeline, follow_settled(following));
		view.now = now_of(following, top);
		view.message = message_now(message, top);
		more = draw(top, &view) && wait_until(next, top, &view);
	}
	screen_close();
}

static int show(char *const *paths, const char *title)
{
	struct follow *following;
	struct top *top = top_new();
	struct message message = { 0 };
	int status;

	follow_signals();
	following = follow_open(paths, take_message, &message);
	begin(top, following->timeline);
	if (follow_any(following))
		show_pages(top, following, title, &message);
	status = following->timeline->problems ? STATUS_FAILED : STATUS_OK;
	top_free(top);
	follow_free(following);
	g_free(message.text);
	return status;
}

int top_command(const struct command *command, int argc, char **argv)
{
	char *title;
	int status;

	if (!command_parse(command, &argc, &argv, &status))
		return status;
	if (argc < 2) {
		complain("top: which recording? See 'halfclose help top'");
		return STATUS_USAGE;
	}
	if (!(seconds >= 0.1 && seconds <= 3600)) {
		complain("top: --delay wants seconds, from 0.1 to 3600");
		return STATUS_USAGE;
	}
	title = title_of(argv + 1);
	status = once || !screen_is_there() ? print_once(argv + 1, title) : show(argv + 1, title);
	g_free(title);
	return status;
}

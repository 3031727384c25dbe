#include "follow.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "say.h"

#define SETTLE_NS 50000000u /* how late a record may come and still be put in order */

struct followed {
	const char *path;
	struct recording *recording; /* the timeline's; NULL: to come */
	bool gone;                   /* deleted or moved away, and said to be */
};

static volatile sig_atomic_t signalled;

static void tell(const struct follow *follow, const char *path, const char *what)
{
	char *message = g_strdup_printf("%s: %s", path, what);

	if (follow->say)
		follow->say(message, follow->say_data);
	else
		complain("%s", message);
	g_free(message);
}

/* False: it can't be read, now or ever. */
static bool open_one(struct follow *follow, struct followed *file)
{
	char *problem;

	file->gone = false;
	if (recording_is_to_come(file->path))
		return true;
	file->recording = recording_open(file->path, &problem);
	if (!file->recording) {
		tell(follow, file->path, problem);
		g_free(problem);
		return false;
	}
	recording_follow(file->recording);
	timeline_add(follow->timeline, file->recording);
	return true;
}

struct follow *follow_open(char *const *paths, void (*say)(const char *message, void *data), void *data)
{
	static char *const none[] = { NULL };
	struct follow *follow = g_new0(struct follow, 1);

	follow->timeline = timeline_open(none);
	follow->files = g_array_new(FALSE, TRUE, sizeof(struct followed));
	for (; *paths; paths++) {
		struct followed file = { .path = *paths };

		if (!open_one(follow, &file)) {
			follow->timeline->problems++;
			continue;
		}
		g_array_append_val(follow->files, file);
	}
	follow->say = say;
	follow->say_data = data;
	for (unsigned i = 0; i < follow->files->len; i++) {
		const struct followed *file = &g_array_index(follow->files, struct followed, i);

		if (!file->recording)
			tell(follow, file->path, "nothing is recorded there yet: waiting for it");
	}
	return follow;
}

void follow_free(struct follow *follow)
{
	timeline_free(follow->timeline);
	g_array_unref(follow->files);
	g_free(follow);
}

bool follow_any(const struct follow *follow)
{
	return follow->files->len != 0;
}

/* True: there is nothing to open in its place. */
static bool look_after(struct follow *follow, struct followed *file)
{
	switch (recording_fate(file->recording)) {
	case RECORDING_GONE:
		if (!file->gone)
			tell(follow, file->path, "was deleted or moved; what is still recorded into it is read on");
		file->gone = true;
		return true;
	case RECORDING_REPLACED:
		if (recording_is_to_come(file->path))
			return true;
		tell(follow, file->path, "is another file now, which is read, too");
		return false;
	case RECORDING_EMPTIED:
		tell(follow, file->path, "was emptied: waiting for a new recording there");
		file->recording = NULL;
		return true;
	case RECORDING_CUT:
		if (!file->gone)
			tell(follow, file->path, "was cut short: what comes now can't be read");
		file->gone = true;
		return true;
	default:
		return true;
	}
}

void follow_refresh(struct follow *follow)
{
	for (unsigned i = 0; i < follow->files->len; i++) {
		struct followed *file = &g_array_index(follow->files, struct followed, i);

		if (file->recording && look_after(follow, file))
			continue;
		if (!open_one(follow, file)) {
			follow->timeline->problems++;
			g_array_remove_index(follow->files, i--);
		}
	}
	timeline_refresh(follow->timeline);
}

uint64_t follow_settled(const struct follow *follow)
{
	return timeline_moment(follow->timeline, SETTLE_NS);
}

static void note_signal(int number)
{
	(void)number;
	signalled = 1;
}

void follow_signals(void)
{
	struct sigaction end = { .sa_handler = note_signal }, ignore = { .sa_handler = SIG_IGN };

	signalled = 0;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

bool follow_over(void)
{
	return signalled;
}

/* Without asked-for events poll tells of nothing but that the other side is gone. */
static bool is_read(int out, unsigned milliseconds)
{
	struct pollfd reader = { .fd = out };

	return poll(&reader, 1, (int)milliseconds) <= 0 || !(reader.revents & (POLLERR | POLLHUP));
}

bool follow_is_read(int out)
{
	return is_read(out, 0);
}

bool follow_wait(int out, unsigned milliseconds)
{
	return !signalled && is_read(out, milliseconds) && !signalled;
}

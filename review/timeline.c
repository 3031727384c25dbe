#include "timeline.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "say.h"
#include "window.h"

#define SHOW_EVERY 4096u /* events: often enough for the eye, and nothing beside reading them */

unsigned timeline_window = TIMELINE_WINDOW;

struct stream {
	struct recording *recording;
	struct window window; /* of struct event *, owned */
};

static int stream_before(const struct stream *a, const struct stream *b)
{
	return event_compare(window_top(&a->window), window_top(&b->window)) < 0;
}

static void fill(const struct timeline *timeline, struct stream *stream)
{
	while (stream->window.count < timeline_window) {
		struct event *event = recording_next(stream->recording);

		if (!event)
			break;
		if (timeline->early)
			timeline->early(event, timeline->early_data);
		window_push(&stream->window, event);
	}
}

/* Files of one boot share the clock of the first of them. */
static void join_clock(struct timeline *timeline, struct recording *recording)
{
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		const struct recording *other = timeline->recordings->pdata[i];

		if (*recording->header.boot_id && !strcmp(other->header.boot_id, recording->header.boot_id)) {
			recording->boot = other->boot;
			recording->order_offset = other->order_offset;
			return;
		}
	}
	recording->boot = timeline->recordings->len;
}

void timeline_add(struct timeline *timeline, struct recording *recording)
{
	struct stream *stream;

	join_clock(timeline, recording);
	recording->index = timeline->recordings->len;
	g_ptr_array_add(timeline->recordings, recording);
	timeline->streams = g_renew(struct stream, timeline->streams, timeline->recordings->len);
	stream = &timeline->streams[recording->index];
	memset(stream, 0, sizeof(*stream));
	stream->recording = recording;
	stream->window.compare = event_compare;
}

struct timeline *timeline_open(char *const *paths)
{
	struct timeline *timeline = g_new0(struct timeline, 1);

	timeline->recordings = g_ptr_array_new_with_free_func((GDestroyNotify)recording_free);
	for (; *paths; paths++) {
		char *problem;
		struct recording *recording = recording_open(*paths, &problem);

		if (!recording) {
			complain("%s: %s", *paths, problem);
			g_free(problem);
			timeline->problems++;
			continue;
		}
		timeline_add(timeline, recording);
	}
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		struct window *window = &timeline->streams[i].window;
		struct event *event;

		while ((event = window_pop(window)))
			g_free(event);
		window_clear(window);
	}
	g_free(timeline->streams);
	g_ptr_array_unref(timeline->recordings);
	g_free(timeline);
}

static void show_progress(struct timeline *timeline)
{
	uint64_t done = 0, all = 0;

	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		const struct recording *recording = timeline->recordings->pdata[i];

		done += recording->slot;
		all += recording->end;
	}
	progress_show(&timeline->progress, done * HC_SLOT_SIZE, all * HC_SLOT_SIZE);
}

struct event *timeline_next(struct timeline *timeline, uint64_t until)
{
	struct stream *first = NULL;
	struct event *event;

	if (!timeline->started) {
		timeline->started = true;
		timeline_refresh(timeline);
	}
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		struct stream *stream = &timeline->streams[i];

		if (stream->window.count && (!first || stream_before(stream, first)))
			first = stream;
	}
	if (!first || ((struct event *)window_top(&first->window))->order > until) {
		progress_end(&timeline->progress);
		return NULL;
	}
	if (timeline->progress.on && !(++timeline->since_shown % SHOW_EVERY))
		show_progress(timeline);
	event = window_pop(&first->window);
	fill(timeline, first);
	return event;
}

void timeline_refresh(struct timeline *timeline)
{
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		struct stream *stream = &timeline->streams[i];

		recording_refresh(stream->recording);
		fill(timeline, stream);
	}
}

uint64_t timeline_moment(const struct timeline *timeline, uint64_t ago)
{
	uint64_t moment = UINT64_MAX;
	char *boot = NULL;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
		return moment;
	g_strchomp(boot);
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		const struct recording *recording = timeline->recordings->pdata[i];
		uint64_t t = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - ago;

		if (!strcmp(recording->header.boot_id, boot))
			moment = MIN(moment, t + recording->order_offset);
	}
	g_free(boot);
	return moment;
}

void timeline_tell_damage(const struct timeline *timeline)
{
	for (unsigned i = 0; i < timeline->recordings->len; i++) {
		const struct recording *recording = timeline->recordings->pdata[i];

		if (recording->damaged || recording->missing)
			complain("%s: %" PRIu64 " places of %u bytes are damaged, %" PRIu64 " are cut off",
			         recording->path, recording->damaged, HC_SLOT_SIZE, recording->missing);
		if (recording->unwritten)
			complain("%s: %" PRIu64 " places of %u bytes were never filled (a killed writer)",
			         recording->path, recording->unwritten, HC_SLOT_SIZE);
		if (recording_lost(recording))
			complain("%s: %" PRIu64 " events could not be recorded", recording->path,
			         recording_lost(recording));
		if (recording->unknown)
			complain("%s: %" PRIu64 " events are of a kind that this halfclose does not know",
			         recording->path, recording->unknown);
	}
}

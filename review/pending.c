#include "pending.h"

#define EXEC_PATIENCE 1000000000u /* ns within which an exec that failed says so */

struct pending *pending_new(void (*happened)(const struct event *close, void *data), void *data)
{
	struct pending *pending = g_new0(struct pending, 1);

	pending->closes = g_queue_new();
	pending->threads = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	pending->happened = happened;
	pending->data = data;
	return pending;
}

void pending_free(struct pending *pending)
{
	g_queue_free_full(pending->closes, g_free);
	g_hash_table_unref(pending->threads);
	g_free(pending);
}

static bool same_thread(const struct event *a, const struct event *b)
{
	return a->recording == b->recording && a->record.pid == b->record.pid && a->record.tid == b->record.tid;
}

/* Threads of two files may share it: then one looks in vain. */
static gint64 thread_key(const struct event *event)
{
	return (gint64)((uint64_t)event->record.pid << 32 | event->record.tid);
}

/* How many closes wait for a word of a thread. */
static void count(struct pending *pending, const struct event *event, int by)
{
	gint64 key = thread_key(event);
	unsigned sum = GPOINTER_TO_UINT(g_hash_table_lookup(pending->threads, &key)) + (unsigned)by;

	if (sum)
		g_hash_table_insert(pending->threads, g_memdup2(&key, sizeof(key)), GUINT_TO_POINTER(sum));
	else
		g_hash_table_remove(pending->threads, &key);
}

void pending_add(struct pending *pending, const struct event *close)
{
	g_queue_push_tail(pending->closes, event_copy(close));
	count(pending, close, 1);
}

static void settle(struct pending *pending, GList *link, bool failed)
{
	struct event *close = link->data;

	g_queue_delete_link(pending->closes, link);
	count(pending, close, -1);
	if (!failed)
		pending->happened(close, pending->data);
	g_free(close);
}

static bool is_old(const struct event *close, const struct event *event)
{
	return event->order > close->order && event->order - close->order > EXEC_PATIENCE;
}

/* What an exec records before it is known to happen. */
static bool is_of_exec(const struct event *event)
{
	return (event->kind == HC_EVENT_close && event->close.how == HC_HOW_exec) ||
	       (event->kind == HC_EVENT_pass && event->pass.via == HC_VIA_exec);
}

void pending_event(struct pending *pending, const struct event *event)
{
	gint64 key = thread_key(event);
	GList *link, *next;

	if (g_queue_is_empty(pending->closes) || is_of_exec(event))
		return;
	while ((link = pending->closes->head) && is_old(link->data, event))
		settle(pending, link, event->kind == HC_EVENT_exec_failed && same_thread(link->data, event));
	if (!g_hash_table_contains(pending->threads, &key))
		return;
	for (link = pending->closes->head; link; link = next) {
		next = link->next;
		if (same_thread(link->data, event))
			settle(pending, link, event->kind == HC_EVENT_exec_failed);
	}
}

void pending_finish(struct pending *pending)
{
	while (!g_queue_is_empty(pending->closes))
		settle(pending, pending->closes->head, false);
}

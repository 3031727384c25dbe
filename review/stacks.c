#include "stacks.h"

#include <string.h>

#include "recording.h"
#include "sites.h"

/* The addresses as they were recorded: what they mean follows from the file. */
struct raw {
	guint hash;
	unsigned file;
	size_t count;
	const struct hc_frame *frames;
};

struct entry {
	struct raw raw; /* whose frames are owned */
	struct site site;
};

struct stacks {
	struct symbols *symbols;
	GHashTable *entries; /* struct raw -> struct entry that it is part of */
	struct entry *last;  /* one that is not kept; NULL: none */
};

static guint raw_hash(gconstpointer key)
{
	return ((const struct raw *)key)->hash;
}

static gboolean raw_equal(gconstpointer left, gconstpointer right)
{
	const struct raw *a = left, *b = right;

	return a->hash == b->hash && a->file == b->file && a->count == b->count &&
	       (!a->count || !memcmp(a->frames, b->frames, a->count * sizeof(*a->frames)));
}

static struct raw raw_of(const struct event *event, const struct hc_frame *frames, size_t count)
{
	struct raw raw = { 0, event->recording->index, count, frames };
	uint64_t hash = raw.file;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ frames[i].module) * 0x9e3779b97f4a7c15u;
		hash = (hash ^ (hash >> 32) ^ frames[i].offset) * 0x9e3779b97f4a7c15u;
	}
	raw.hash = (guint)(hash >> 32);
	return raw;
}

static void entry_free(void *data)
{
	struct entry *entry = data;

	if (!entry)
		return;
	g_array_unref(entry->site.frames);
	g_array_unref(entry->site.folded);
	g_free(entry->site.place);
	g_free(entry->site.key);
	g_free((void *)entry->raw.frames);
	g_free(entry);
}

struct stacks *stacks_new(void)
{
	struct stacks *stacks = g_new0(struct stacks, 1);

	stacks->symbols = symbols_new();
	stacks->entries = g_hash_table_new_full(raw_hash, raw_equal, NULL, entry_free);
	return stacks;
}

void stacks_free(struct stacks *stacks)
{
	g_hash_table_unref(stacks->entries);
	entry_free(stacks->last);
	symbols_free(stacks->symbols);
	g_free(stacks);
}

unsigned stacks_kept(const struct stacks *stacks)
{
	return g_hash_table_size(stacks->entries);
}

static struct entry *entry_of(struct stacks *stacks, const struct processes *processes, const struct event *event,
                              struct raw raw)
{
	struct entry *entry = g_new0(struct entry, 1);
	GArray *folded;

	raw.frames = raw.count ? g_memdup2(raw.frames, raw.count * sizeof(*raw.frames)) : NULL;
	entry->raw = raw;
	entry->site.frames = symbols_stack(stacks->symbols, processes, event);
	folded = g_array_copy(entry->site.frames);
	site_fold(folded);
	entry->site.folded = folded;
	entry->site.place = site_place(folded);
	entry->site.key = site_key(folded);
	return entry;
}

/* A module that is told of after its stack, as threads can bring it about, has no name yet. */
static bool is_lasting(const struct processes *processes, const struct event *event, const struct raw *raw)
{
	for (size_t i = 0; i < raw->count; i++)
		if (raw->frames[i].module && !processes_module(processes, event->recording, raw->frames[i].module))
			return false;
	return true;
}

const struct site *stacks_site(struct stacks *stacks, const struct processes *processes, const struct event *event)
{
	struct hc_frame frames[STACK_MOST];
	/* cppcheck-suppress uninitvar ; the third argument fills it */
	struct raw raw = raw_of(event, frames, event_frames(event, frames, STACK_MOST));
	struct entry *entry = g_hash_table_lookup(stacks->entries, &raw);

	if (entry)
		return &entry->site;
	entry = entry_of(stacks, processes, event, raw);
	if (!is_lasting(processes, event, &raw)) {
		entry_free(stacks->last);
		stacks->last = entry;
		return &entry->site;
	}
	if (g_hash_table_size(stacks->entries) >= STACKS_KEPT)
		g_hash_table_remove_all(stacks->entries);
	g_hash_table_insert(stacks->entries, &entry->raw, entry);
	return &entry->site;
}

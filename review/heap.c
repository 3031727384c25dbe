#include "heap.h"

#include <glib.h>

void heap_push(struct heap *heap, void *item)
{
	unsigned at = heap->count++;

	if (heap->count > heap->room) {
		heap->room = heap->room ? heap->room * 2 : 64;
		heap->items = g_renew(void *, heap->items, heap->room);
	}
	while (at > 0) {
		unsigned parent = (at - 1) / 2;

		if (heap->compare(heap->items[parent], item) <= 0)
			break;
		heap->items[at] = heap->items[parent];
		at = parent;
	}
	heap->items[at] = item;
}

static void sink(struct heap *heap, void *item)
{
	unsigned at = 0, child;

	while ((child = 2 * at + 1) < heap->count) {
		if (child + 1 < heap->count && heap->compare(heap->items[child + 1], heap->items[child]) < 0)
			child++;
		if (heap->compare(item, heap->items[child]) <= 0)
			break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	heap->items[at] = item;
}

void *heap_pop(struct heap *heap)
{
	void *top;

	if (!heap->count)
		return NULL;
	top = heap->items[0];
	heap->count--;
	if (heap->count)
		sink(heap, heap->items[heap->count]);
	return top;
}

void *heap_top(const struct heap *heap)
{
	return heap->count ? heap->items[0] : NULL;
}

void heap_clear(struct heap *heap)
{
	g_free(heap->items);
	heap->items = NULL;
	heap->count = heap->room = 0;
}

#include "window.h"

#include <glib.h>
#include <string.h>

/* Room for one more behind the last. */
static void make_room(struct window *window)
{
	if (window->first + window->count < window->room)
		return;
	if (window->first > window->count) { /* what is in front of the first is rarely moved then */
		memmove(window->items, window->items + window->first, window->count * sizeof(*window->items));
		window->first = 0;
		return;
	}
	window->room = window->room ? window->room * 2 : 64;
	window->items = g_renew(void *, window->items, window->room);
}

void window_push(struct window *window, void *item)
{
	unsigned low = 0, high = window->count;
	void **items;

	make_room(window);
	items = window->items + window->first;
	if (high && window->compare(items[high - 1], item) > 0) {
		high--; /* the first that comes after it is found by halves */
		while (low < high) {
			unsigned middle = (low + high) / 2;

			if (window->compare(items[middle], item) > 0)
				high = middle;
			else
				low = middle + 1;
		}
		memmove(items + high + 1, items + high, (window->count - high) * sizeof(*items));
	}
	items[high] = item;
	window->count++;
}

void *window_pop(struct window *window)
{
	if (!window->count)
		return NULL;
	window->count--;
	return window->items[window->first++];
}

void window_clear(struct window *window)
{
	g_free(window->items);
	window->items = NULL;
	window->first = window->count = window->room = 0;
}

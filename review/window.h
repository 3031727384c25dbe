/*
 * A queue in order: what goes in may be some places early or late, what comes out is
 * the smallest. For what is nearly in order already: then each takes its place at the
 * end. It owns none of the items.
 */
#ifndef REVIEW_WINDOW_H
#define REVIEW_WINDOW_H

struct window {
	void **items; /* from `first` on: `count` of them, in order */
	unsigned first, count, room;
	int (*compare)(const void *a, const void *b); /* < 0: a comes before b */
};

void window_push(struct window *window, void *item);
void *window_pop(struct window *window);  /* NULL when empty */
void window_clear(struct window *window); /* frees the array, not the items */

static inline void *window_top(const struct window *window)
{
	return window->count ? window->items[window->first] : (void *)0;
}

#endif

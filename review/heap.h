/* A binary heap of pointers: the smallest comes first. It owns none of them. */
#ifndef REVIEW_HEAP_H
#define REVIEW_HEAP_H

struct heap {
	void **items;
	unsigned count, room;
	int (*compare)(const void *a, const void *b); /* < 0: a comes before b */
};

void heap_push(struct heap *heap, void *item);
void *heap_pop(struct heap *heap); /* NULL when empty */
void *heap_top(const struct heap *heap);
void heap_clear(struct heap *heap); /* frees the array, not the items */

#endif

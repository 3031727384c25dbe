/* A fixed room of slots: none is allocated when a socket comes. */
#include "drain.h"

#include <sys/mman.h>

static struct slot *slots;
static uint32_t *heap; /* of slot numbers; heap[1] is due first */
static uint32_t used, most;
static uint32_t free_slot; /* a list, by `newer` */
static uint32_t never_used = 1;
static uint32_t first, last; /* by age */

static void *room(uint64_t size)
{
	void *space = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return space == MAP_FAILED ? NULL : space;
}

bool slots_init(uint32_t how_many)
{
	most = how_many;
	slots = room((most + UINT64_C(1)) * sizeof *slots);
	heap = room((most + UINT64_C(2)) * sizeof *heap);
	return slots && heap;
}

void slots_forget(void)
{
	madvise(slots, (most + UINT64_C(1)) * sizeof *slots, MADV_DONTNEED);
	madvise(heap, (most + UINT64_C(2)) * sizeof *heap, MADV_DONTNEED);
	used = free_slot = first = last = 0;
	never_used = 1;
}

struct slot *slot_of(uint32_t slot)
{
	return &slots[slot];
}

uint32_t slots_used(void)
{
	return used;
}

static void put(uint32_t place, uint32_t slot)
{
	heap[place] = slot;
	slots[slot].place = place;
}

static void sift(uint32_t place)
{
	uint32_t slot = heap[place];
	uint64_t deadline = slots[slot].deadline;
	for (; place > 1 && slots[heap[place / 2]].deadline > deadline; place /= 2)
		put(place, heap[place / 2]);
	for (uint32_t child; (child = 2 * place) <= used; place = child) {
		if (child < used && slots[heap[child + 1]].deadline < slots[heap[child]].deadline)
			child++;
		if (slots[heap[child]].deadline >= deadline)
			break;
		put(place, heap[child]);
	}
	put(place, slot);
}

uint32_t slot_take(int fd, uint64_t deadline)
{
	uint32_t slot = free_slot;
	if (used == most)
		return NO_SLOT;
	if (slot)
		free_slot = slots[slot].newer;
	else
		slot = never_used++;
	slots[slot] = (struct slot){ .fd = fd, .deadline = deadline, .older = last };
	if (last)
		slots[last].newer = slot;
	else
		first = slot;
	last = slot;
	put(++used, slot);
	sift(used);
	return slot;
}

void slot_give(uint32_t slot)
{
	struct slot *is = &slots[slot];
	uint32_t place = is->place, moved = heap[used--];
	if (place <= used) {
		put(place, moved);
		sift(place);
	}
	*(is->older ? &slots[is->older].newer : &first) = is->newer;
	*(is->newer ? &slots[is->newer].older : &last) = is->older;
	is->fd = -1;
	is->newer = free_slot;
	free_slot = slot;
}

void slot_set_deadline(uint32_t slot, uint64_t deadline)
{
	slots[slot].deadline = deadline;
	sift(slots[slot].place);
}

uint32_t slot_next_due(void)
{
	return used ? heap[1] : NO_SLOT;
}

uint32_t slot_oldest(void)
{
	return first;
}

uint32_t slot_newer(uint32_t slot)
{
	return slots[slot].newer;
}

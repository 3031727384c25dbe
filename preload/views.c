#include "views.h"
#include "process.h"

#include <halfclose/recording.h>

#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
	VIEWS = 64, /* as many threads may be stopped amid a record, each in another */
	STRIDE = 4 * HC_PIECE,
	LENGTH = STRIDE + HC_PIECE, /* a record may begin at the end of a stride */
	HOP = 64 * HC_PIECE,
	UNMOVED = 64 * HC_PIECE, /* where a view can't be moved: as many pieces as `pieces` has bits */
	ADDRESS = 4096,          /* the unit of an address: what is below it is for the length */
};
_Static_assert(HC_RECORD_MAX <= HC_PIECE, "any record lies in one view");

/* The one that is making or unmaking the view has it for itself. */
#define BUSY UINT32_MAX

struct view {
	_Atomic uint32_t use;    /* 0: none; 1: mapped; 1 + n: n writers; BUSY */
	_Atomic uint64_t from;   /* offset in the file; stands still while there are writers */
	_Atomic uintptr_t place; /* address | length in pieces, in one: whoever searches
	                          * by address sees no half of another view */
	_Atomic uint64_t pieces; /* a bit for each that was made writable */
};

static struct view views[VIEWS];
static _Atomic unsigned latest;

/* The file's first page, mapped without access: what views are made of. */
static void *anchor;
static size_t page;
static uint64_t end;
static bool all_allocated;

static __thread unsigned writing __attribute__((tls_model("initial-exec")));

static char *base_of(uintptr_t place)
{
	return (char *)(place / ADDRESS * ADDRESS); /* NOLINT(performance-no-int-to-ptr) */
}

static size_t length_of(uintptr_t place)
{
	return place % ADDRESS * HC_PIECE;
}

static char *map_again(void *from, size_t size)
{
	return (char *)hc_sys(SYS_mremap, (long)from, 0, (long)size, MREMAP_MAYMOVE, 0); /* NOLINT */
}

static void unmap(const void *from, size_t size)
{
	if (size)
		hc_sys(SYS_munmap, (long)from, (long)size, 0, 0, 0);
}

/* Maps [from, from + size) of the file by way of all that lies before it, which
 * takes no memory, only addresses, and at most `hop` of these at a time. */
static char *map_part(uint64_t from, size_t size, uint64_t hop)
{
	char *step = anchor;
	for (;;) {
		bool last = from <= hop;
		uint64_t ahead = last ? from : hop;
		char *space = map_again(step, ahead + (last ? size : page));
		if (step != anchor)
			unmap(step, page);
		if (space == MAP_FAILED)
			return NULL;
		unmap(space, ahead);
		if (last)
			return space + ahead;
		step = space + ahead;
		from -= ahead;
	}
}

/* Unmaps what nobody writes in. */
static void close_idle(uint64_t up_to)
{
	for (struct view *view = views; view < views + VIEWS; view++) {
		uint32_t idle = 1;
		if (atomic_load(&view->from) > up_to || !atomic_compare_exchange_strong(&view->use, &idle, BUSY))
			continue;
		uintptr_t place = atomic_exchange(&view->place, 0);
		unmap(base_of(place), length_of(place));
		atomic_store(&view->use, 0);
	}
}

static struct view *claim_free(void)
{
	for (struct view *view = views; view < views + VIEWS; view++) {
		uint32_t none = 0;
		if (atomic_compare_exchange_strong(&view->use, &none, BUSY))
			return view;
	}
	return NULL;
}

static char *map_or_make_room(uint64_t from, size_t size)
{
	char *base = map_part(from, size, UINT64_MAX);
	if (base)
		return base;
	/* addresses may be scarce, or all memory locked and no more of it allowed */
	close_idle(UINT64_MAX);
	hc_sys(SYS_munlock, (long)anchor, (long)page, 0, 0, 0);
	return map_part(from, size, HOP);
}

/* A view with one writer, the caller; or NULL. */
static struct view *open_view(uint64_t from, uint64_t size, bool *over)
{
	struct view *view = claim_free();
	if (size > end - from)
		size = end - from;
	*over = false;
	if (!view) {
		close_idle(UINT64_MAX);
		view = claim_free();
	}
	if (!view)
		return NULL;
	char *base = map_or_make_room(from, size);
	if (!base || hc_sys(SYS_mprotect, (long)base, (long)size, PROT_READ | PROT_WRITE, 0, 0)) {
		if (base)
			unmap(base, size);
		atomic_store(&view->use, 0);
		*over = true;
		return NULL;
	}
	/* what is behind the newest is over, but for those who are still at it */
	close_idle(from);
	atomic_store(&view->from, from);
	atomic_store(&view->pieces, all_allocated ? UINT64_MAX : 0);
	atomic_store(&view->place, (uintptr_t)base | size / HC_PIECE);
	atomic_store(&view->use, 2);
	atomic_store(&latest, (unsigned)(view - views));
	return view;
}

static bool covers(const struct view *view, uint64_t at, size_t size)
{
	uint64_t from = atomic_load_explicit(&view->from, memory_order_relaxed);
	uintptr_t place = atomic_load_explicit(&view->place, memory_order_relaxed);
	return at >= from && at + size <= from + length_of(place);
}

static void leave(struct view *view)
{
	atomic_fetch_sub(&view->use, 1);
}

static struct view *enter(uint64_t at, size_t size)
{
	unsigned first = atomic_load_explicit(&latest, memory_order_relaxed);
	for (unsigned i = 0; i < VIEWS; i++) {
		struct view *view = &views[(first + i) % VIEWS];
		uint32_t use = atomic_load_explicit(&view->use, memory_order_relaxed);
		while (use && use != BUSY && covers(view, at, size)) {
			if (!atomic_compare_exchange_weak(&view->use, &use, use + 1))
				continue;
			/* it may have become another one meanwhile */
			if (covers(view, at, size))
				return view;
			leave(view);
			break;
		}
	}
	return NULL;
}

static bool make_writable(struct view *view, uint64_t at, size_t size)
{
	uint64_t from = atomic_load(&view->from), is = atomic_load_explicit(&view->pieces, memory_order_relaxed);
	unsigned first = (unsigned)((at - from) / HC_PIECE), last = (unsigned)((at - from + size - 1) / HC_PIECE);
	uint64_t wanted = UINT64_MAX >> (63 - last) & UINT64_MAX << first;

	if (likely((is & wanted) == wanted))
		return true;
	if (atomic_load(&hc_self.sandboxed))
		return false;
	char *base = base_of(atomic_load(&view->place));
	if (hc_sys(SYS_madvise, (long)(base + first * HC_PIECE), (long)((last - first + 1) * HC_PIECE),
	           MADV_POPULATE_WRITE, 0, 0))
		return false;
	atomic_fetch_or(&view->pieces, wanted);
	return true;
}

void *hc_view_take(uint64_t at, size_t size, bool *over)
{
	writing++;
	struct view *view = enter(at, size);
	*over = true;
	if (unlikely(!view) && !atomic_load(&hc_self.sandboxed))
		view = open_view(at / STRIDE * STRIDE, LENGTH, over);
	if (likely(view && make_writable(view, at, size)))
		return base_of(atomic_load(&view->place)) + (at - atomic_load(&view->from));
	if (view) {
		*over = true;
		leave(view);
	}
	writing--;
	return NULL;
}

static struct view *view_of(const void *address)
{
	unsigned first = atomic_load_explicit(&latest, memory_order_relaxed);
	for (unsigned i = 0; i < VIEWS; i++) {
		struct view *view = &views[(first + i) % VIEWS];
		uintptr_t place = atomic_load_explicit(&view->place, memory_order_relaxed);
		if ((uintptr_t)address - place / ADDRESS * ADDRESS < length_of(place))
			return view;
	}
	return NULL;
}

uint64_t hc_view_offset(const void *address)
{
	const struct view *view = view_of(address);
	return atomic_load(&view->from) + (uint64_t)((const char *)address - base_of(atomic_load(&view->place)));
}

void hc_view_give(const void *address)
{
	leave(view_of(address));
	writing--;
}

void hc_views_child(void)
{
	for (struct view *view = views; view < views + VIEWS; view++) {
		uint32_t use = atomic_load(&view->use);
		if (!all_allocated)
			atomic_store(&view->pieces, 0);
		/* forked by a handler amid a record of ours, which goes on here, too */
		if (writing || use <= 1)
			continue;
		atomic_store(&view->use, use == BUSY ? 0 : 1);
		if (use == BUSY)
			atomic_store(&view->place, 0);
	}
}

void hc_views_stock_up(uint64_t at, size_t size)
{
	bool over;
	uint64_t from = at / HC_PIECE * HC_PIECE;
	if (from >= end)
		return;
	if (size > end - at)
		size = (size_t)(end - at);
	struct view *view = enter(at, size);
	if (!view)
		view = open_view(from, (at + size + HC_PIECE - 1 - from) / HC_PIECE * HC_PIECE, &over);
	if (!view)
		return;
	make_writable(view, at, size);
	atomic_store(&latest, (unsigned)(view - views));
	leave(view);
}

uint64_t hc_views_init(int fd, uint64_t size, bool allocated)
{
	bool over;
	page = getauxval(AT_PAGESZ);
	end = size;
	all_allocated = allocated;
	anchor = mmap64(NULL, page, PROT_NONE, MAP_SHARED, fd, 0);
	if (anchor == MAP_FAILED)
		return 0;
	struct view *view = open_view(0, LENGTH, &over);
	if (!view) {
		munmap(anchor, page);
		end = size < UNMOVED ? size : UNMOVED;
		void *space = mmap64(NULL, end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (space == MAP_FAILED)
			return 0;
		view = &views[0];
		atomic_store(&view->pieces, allocated ? UINT64_MAX : 0);
		atomic_store(&view->place, (uintptr_t)space | end / HC_PIECE);
		atomic_store(&view->use, 2);
	}
	bool writable = make_writable(view, 0, HC_HEADER_SIZE);
	leave(view);
	return writable ? end : 0;
}

#include "recorder.h"
#include "process.h"
#include "views.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>

enum {
	STOCK = 1024 * 1024,      /* what a sandboxed program may still write */
	FIXED = 16 * 1024 * 1024, /* where the kernel can't populate (before 5.14) */
	LEAST = 128 * 1024,
};

static const uint16_t struct_size[] = {
	[HC_EVENT_NULL] = 0,
#define EVENT(name, kind, meaning) [HC_EVENT_##name] = sizeof(struct hc_##name),
#define FIELD(type, name, unit, meaning)
#define END_EVENT(name)
#include <halfclose/events.def>
};

static struct hc_header *header;
static uint64_t writable; /* bytes of the file that this process can write */
static _Atomic bool stopped;

static void *lose(void)
{
	__atomic_fetch_add(&header->lost, 1, __ATOMIC_RELAXED);
	return NULL;
}

void *hc_record_at(enum hc_event event, size_t tail, uint64_t t)
{
	if (!header)
		return NULL;
	size_t size = (struct_size[event] + tail + HC_SLOT_SIZE - 1) / HC_SLOT_SIZE * HC_SLOT_SIZE;
	uint64_t room = writable - HC_HEADER_SIZE;
	bool over;
	int kept = errno;

	if (size > HC_RECORD_MAX || atomic_load_explicit(&stopped, memory_order_relaxed) ||
	    __atomic_load_n(&header->used, __ATOMIC_RELAXED) + size > room)
		return lose();
	uint64_t at = __atomic_fetch_add(&header->used, size, __ATOMIC_RELAXED);
	/* in a header that is damaged, it may stand anywhere */
	if (at > room || size > room - at || at % HC_SLOT_SIZE)
		return lose();
	struct hc_record *record = hc_view_take(HC_HEADER_SIZE + at, size, &over);
	errno = kept;
	if (!record) {
		if (over)
			atomic_store(&stopped, true);
		return lose();
	}
	record->event = (uint16_t)event;
	record->slots = (uint16_t)(size / HC_SLOT_SIZE);
	record->t = t;
	record->pid = (uint32_t)hc_self.pid;
	record->tid = hc_tid();
	return record;
}

void *hc_record(enum hc_event event, size_t tail)
{
	return header ? hc_record_at(event, tail, hc_now()) : NULL;
}

void hc_commit(void *event)
{
	struct hc_record *record = event;
	uint64_t slot = (hc_view_offset(event) - HC_HEADER_SIZE) / HC_SLOT_SIZE;
	__atomic_store_n(&record->mark, hc_mark(slot), __ATOMIC_RELEASE);
	hc_view_give(event);
}

struct hc_span hc_tail(void *event, size_t *used, const void *bytes, size_t size)
{
	const struct hc_record *record = event;
	struct hc_span span = { (uint32_t)(struct_size[record->event] + *used), (uint32_t)size };
	memcpy((char *)event + span.offset, bytes, size);
	*used += size;
	return span;
}

uint32_t hc_recorder_number(void)
{
	return __atomic_fetch_add(&header->processes, 1, __ATOMIC_RELAXED) + 1;
}

void hc_recorder_stock_up(void)
{
	if (header)
		hc_views_stock_up(HC_HEADER_SIZE + __atomic_load_n(&header->used, __ATOMIC_RELAXED), STOCK);
}

/* The file: made, joined, checked. Only the constructor comes here. */

static uint64_t clock_now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void read_boot_id(char *into, size_t size)
{
	int fd = open64("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	memset(into, 0, size);
	if (fd < 0)
		return;
	ssize_t n = read(fd, into, size - 1);
	while (n > 0 && into[n - 1] == '\n')
		into[--n] = '\0';
	hc_sys(SYS_close, fd, 0, 0, 0, 0);
}

static void fill_header(struct hc_header *into, uint64_t limit)
{
	struct utsname name;
	memset(into, 0, sizeof *into);
	memcpy(into->magic, HC_MAGIC, sizeof HC_MAGIC);
	into->version = HC_VERSION;
	into->byte_order = HC_BYTE_ORDER;
	into->header_size = HC_HEADER_SIZE;
	into->slot_size = HC_SLOT_SIZE;
	into->limit = limit;
	into->start_realtime = clock_now(CLOCK_REALTIME);
	into->start_monotonic = clock_now(CLOCK_MONOTONIC);
	if (!uname(&name))
		memcpy(into->host, name.nodename, sizeof into->host - 1);
	read_boot_id(into->boot_id, sizeof into->boot_id);
}

static const char *check_header(const struct hc_header *is)
{
	char boot_id[sizeof is->boot_id];
	if (memcmp(is->magic, HC_MAGIC, sizeof HC_MAGIC))
		return "is a file of another kind";
	if (is->version != HC_VERSION || is->byte_order != HC_BYTE_ORDER || is->header_size != HC_HEADER_SIZE ||
	    is->slot_size != HC_SLOT_SIZE)
		return "is a recording of another version";
	if (is->limit < LEAST || is->limit % HC_PIECE)
		return "is a damaged recording";
	read_boot_id(boot_id, sizeof boot_id);
	if (memcmp(is->boot_id, boot_id, sizeof boot_id))
		return "is a recording from before the last boot";
	return NULL;
}

static uint64_t limit_of(enum __rlimit_resource which)
{
	struct rlimit64 is;
	return getrlimit64(which, &is) || is.rlim_cur == RLIM64_INFINITY ? UINT64_MAX : is.rlim_cur;
}

/* Checks a file that is there, or gives an empty one its header and size. */
static const char *prepare_file(int fd, uint64_t limit, uint64_t *size)
{
	struct hc_header is;
	struct stat64 status;
	const char *why;

	if (fstat64(fd, &status) || !S_ISREG(status.st_mode))
		return "is no regular file";
	if (status.st_size) {
		if (pread64(fd, &is, sizeof is, 0) != (ssize_t)sizeof is)
			return "is a file of another kind";
		why = check_header(&is);
		if (why)
			return why;
		*size = is.limit;
		if ((uint64_t)status.st_size >= *size)
			return NULL;
		/* whoever made it died before it had its size */
	} else {
		/* growing a file past RLIMIT_FSIZE would end the program */
		*size = limit < LEAST ? LEAST : limit;
		if (limit_of(RLIMIT_FSIZE) < *size)
			*size = limit_of(RLIMIT_FSIZE);
		*size = *size / HC_PIECE * HC_PIECE;
		if (*size < LEAST)
			return "may not grow: RLIMIT_FSIZE";
		fill_header(&is, *size);
		if (pwrite64(fd, &is, sizeof is, 0) != (ssize_t)sizeof is)
			return "has no space on its disk";
	}
	if (limit_of(RLIMIT_FSIZE) < *size || ftruncate64(fd, (off64_t)*size))
		return "can't be made as large as HALFCLOSE_LOG_MAX";
	return NULL;
}

static const char *map_file(int fd, uint64_t size)
{
	void *space = mmap64(NULL, HC_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (space == MAP_FAILED)
		return "can't be mapped";
	writable = hc_views_init(fd, size, false);
	/* an older kernel, or a full disk: only what is allocated for good can
	 * be stored into */
	if (!writable && !fallocate64(fd, 0, 0, (off64_t)(size < FIXED ? size : FIXED)))
		writable = hc_views_init(fd, size < FIXED ? size : FIXED, true);
	if (!writable) {
		munmap(space, HC_HEADER_SIZE);
		return "has no space on its disk, or none in memory";
	}
	header = space;
	return NULL;
}

/* One process makes the header; the kernel lets go of the lock if it dies. Who
 * holds it longer than that takes is none of ours. */
static bool lock(int fd)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	for (int i = 0; i < 500; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return true; /* a file system that has no locks */
		nanosleep(&moment, NULL);
	}
	return false;
}

const char *hc_recorder_open(const char *path, uint64_t limit)
{
	/* no FIFO may hold us up, no link lead us elsewhere, no terminal become ours */
	int fd = open64(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	uint64_t size = 0;
	if (fd < 0)
		return errno == ELOOP ? "is a symbolic link" : strerrordesc_np(errno);
	const char *why = lock(fd) ? prepare_file(fd, limit, &size) : "is locked by another program";
	if (!why)
		why = map_file(fd, size);
	/* the mapping keeps the open file, and with it the lock, past close */
	flock(fd, LOCK_UN);
	hc_sys(SYS_close, fd, 0, 0, 0, 0);
	return why;
}

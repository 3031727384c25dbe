/* Bytes of a file -> events. */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (256u * 1024u)
#define HOLE_PATIENCE 1000000000u /* ns that a follower waits for a slot to be filled */

static uint64_t now_ns(void)
{
	return (uint64_t)g_get_monotonic_time() * 1000u;
}

/* Reads up to `size` bytes; how many there were. An error is an end. */
static size_t read_at(int fd, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static char *header_problem(const struct hc_header *header, size_t size)
{
	static const char magic[sizeof(header->magic)] = HC_MAGIC;

	if (size == 0)
		return g_strdup("the file is empty: nothing was recorded");
	if (size < sizeof(magic) || memcmp(header->magic, magic, sizeof(magic)) != 0)
		return g_strdup("not a recording of halfclose");
	if (size < sizeof(*header))
		return g_strdup("the recording is cut off within its header");
	if (header->byte_order == __builtin_bswap32(HC_BYTE_ORDER))
		return g_strdup("recorded on a machine of the other byte order");
	if (header->version > HC_VERSION)
		return g_strdup_printf("the recording's version is %u; this halfclose reads up to %u", header->version,
		                       HC_VERSION);
	if (header->byte_order != HC_BYTE_ORDER || header->version == 0 || header->header_size != HC_HEADER_SIZE ||
	    header->slot_size != HC_SLOT_SIZE)
		return g_strdup("the recording's header is damaged");
	return NULL;
}

/* How many slots can be read, from the header's word and the file's size. */
static void measure(struct recording *recording)
{
	const struct hc_header *header = &recording->header;
	struct stat st;
	uint64_t taken = header->used, room, there;

	room = header->limit > HC_HEADER_SIZE ? header->limit - HC_HEADER_SIZE : 0;
	taken = MIN(taken, room) / HC_SLOT_SIZE;
	if (fstat(recording->fd, &st) < 0)
		st.st_size = 0;
	recording->size = MAX(recording->size, (uint64_t)st.st_size);
	there = st.st_size > (off_t)HC_HEADER_SIZE ? ((uint64_t)st.st_size - HC_HEADER_SIZE) / HC_SLOT_SIZE : 0;
	recording->missing = taken > there ? taken - there : 0;
	recording->end = MIN(taken, there);
}

/* Many recordings are read at once: as many files as the system lets us have. */
static int open_file(const char *path)
{
	struct rlimit limit;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 || errno != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fd;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		errno = EMFILE;
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd;
}

struct recording *recording_open(const char *path, char **problem)
{
	struct recording *recording;
	struct stat st;
	size_t size;
	int fd = open_file(path);

	*problem = NULL;
	if (fd < 0 || fstat(fd, &st) < 0) {
		*problem = g_strdup(g_strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		*problem = g_strdup(S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
		close(fd);
		return NULL;
	}
	recording = g_new0(struct recording, 1);
	recording->fd = fd;
	recording->path = g_strdup(path);
	size = read_at(fd, &recording->header, sizeof(recording->header), 0);
	*problem = header_problem(&recording->header, size);
	if (*problem) {
		recording_free(recording);
		return NULL;
	}
	recording->header.host[sizeof(recording->header.host) - 1] = '\0';
	recording->header.boot_id[sizeof(recording->header.boot_id) - 1] = '\0';
	recording->order_offset = recording->header.start_realtime - recording->header.start_monotonic;
	recording->hole = UINT64_MAX;
	measure(recording);
	return recording;
}

void recording_free(struct recording *recording)
{
	close(recording->fd);
	g_free(recording->buffer);
	g_free(recording->path);
	g_free(recording);
}

void recording_follow(struct recording *recording)
{
	recording->follow = true;
}

void recording_refresh(struct recording *recording)
{
	struct hc_header header;

	if (read_at(recording->fd, &header, sizeof(header), 0) == sizeof(header)) {
		recording->header.used = header.used;
		recording->header.lost = header.lost;
		recording->header.limit = header.limit;
	}
	measure(recording);
	recording->buffer_used = 0; /* what it holds may have been filled since */
}

enum recording_fate recording_fate(const struct recording *recording)
{
	struct stat is, there;

	if (fstat(recording->fd, &is) < 0)
		return RECORDING_GONE;
	if ((uint64_t)is.st_size < recording->size && is.st_size < (off_t)HC_HEADER_SIZE)
		return RECORDING_EMPTIED;
	if ((uint64_t)is.st_size < recording->size &&
	    (uint64_t)is.st_size < HC_HEADER_SIZE + recording->slot * HC_SLOT_SIZE)
		return RECORDING_CUT;
	if (stat(recording->path, &there) < 0)
		return RECORDING_GONE;
	return is.st_dev == there.st_dev && is.st_ino == there.st_ino ? RECORDING_THERE : RECORDING_REPLACED;
}

bool recording_is_to_come(const char *path)
{
	static const char nothing[sizeof(((struct hc_header *)0)->magic)];
	char magic[sizeof(nothing)] = { 0 };
	struct stat st;
	bool empty;
	int fd = open_file(path);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR;
	empty = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	        (!read_at(fd, magic, sizeof(magic), 0) || !memcmp(magic, nothing, sizeof(magic)));
	close(fd);
	return empty;
}

/* `size` bytes at a place in the file, valid until the next call; NULL: not there. */
static const unsigned char *bytes_at(struct recording *recording, uint64_t offset, size_t size)
{
	uint64_t at = recording->buffer_at;

	if (offset >= at && offset + size <= at + recording->buffer_used)
		return recording->buffer + (offset - at);
	if (!recording->buffer)
		recording->buffer = g_malloc(BUFFER_SIZE);
	recording->buffer_at = offset;
	recording->buffer_used = read_at(recording->fd, recording->buffer, BUFFER_SIZE, offset);
	return recording->buffer_used >= size ? recording->buffer : NULL;
}

static uint64_t offset_of(uint64_t slot)
{
	return HC_HEADER_SIZE + slot * HC_SLOT_SIZE;
}

static bool all_zero(const unsigned char *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* A slot that begins no record: decide what it is, and step over it. */
static void step_over(struct recording *recording, const unsigned char *bytes)
{
	struct hc_record record;

	memcpy(&record, bytes, sizeof(record));
	if (recording->slot < recording->unfinished || all_zero(bytes, HC_SLOT_SIZE)) {
		recording->unwritten++;
		recording->trailing++;
	} else if (record.mark == 0 && event_kind(record.event) && record.slots >= 1 &&
	           record.slots <= HC_RECORD_MAX / HC_SLOT_SIZE) {
		/* killed between filling it and storing the mark */
		recording->unfinished = recording->slot + record.slots;
		recording->unwritten++;
	} else if (record.mark == 0 && all_zero(bytes + sizeof(record), HC_SLOT_SIZE - sizeof(record))) {
		/* killed when it had not yet said what and how long it is: no more than that was stored */
		recording->unwritten++;
	} else {
		recording->damaged++;
	}
	recording->slot++;
}

/* While following: is this hole perhaps about to be filled? */
static bool hole_may_fill(struct recording *recording)
{
	if (!recording->follow || recording->slot < recording->hole_end)
		return false;
	if (recording->hole != recording->slot) {
		recording->hole = recording->slot;
		recording->hole_since = now_ns();
	}
	if (now_ns() - recording->hole_since < HOLE_PATIENCE)
		return true;
	recording->hole_end = recording->end;
	return false;
}

/* The record at a slot whose mark was right; NULL: it is damaged, or of a kind that came later. */
static struct event *take_record(struct recording *recording, const struct hc_record *record)
{
	const size_t size = (size_t)record->slots * HC_SLOT_SIZE;
	const unsigned char *bytes;
	struct event *event;
	unsigned flaws = 0;

	if (size == 0 || size > HC_RECORD_MAX || record->slots > recording->end - recording->slot ||
	    !(bytes = bytes_at(recording, offset_of(recording->slot), size))) {
		recording->damaged++;
		recording->slot++;
		return NULL;
	}
	event = event_decode(bytes, size, &flaws);
	if (!event) {
		if (record->event >= HC_EVENTS)
			recording->unknown++;
		else
			recording->damaged += record->slots;
	} else {
		recording->damaged += flaws;
		event->recording = recording;
		event->slot = recording->slot;
		event->order = event->record.t + recording->order_offset;
	}
	recording->slot += record->slots;
	recording->trailing = 0;
	return event;
}

struct event *recording_next(struct recording *recording)
{
	while (recording->slot < recording->end) {
		const unsigned char *bytes = bytes_at(recording, offset_of(recording->slot), HC_SLOT_SIZE);
		struct hc_record record;
		struct event *event;

		if (!bytes) { /* it became shorter, or can't be read */
			recording->missing += recording->end - recording->slot;
			recording->end = recording->slot;
			break;
		}
		memcpy(&record, bytes, sizeof(record));
		if (record.mark != hc_mark(recording->slot)) {
			if (hole_may_fill(recording))
				break;
			step_over(recording, bytes);
			continue;
		}
		event = take_record(recording, &record);
		if (event)
			return event;
	}
	if (recording->header.used > recording->header.limit - HC_HEADER_SIZE) {
		/* what did not fit is counted as lost, and took the rest of the room */
		recording->unwritten -= recording->trailing;
		recording->trailing = 0;
	}
	return NULL;
}

uint64_t recording_lost(const struct recording *recording)
{
	return recording->header.lost;
}

uint64_t recording_realtime(const struct recording *recording, uint64_t t)
{
	return recording->header.start_realtime + (t - recording->header.start_monotonic);
}

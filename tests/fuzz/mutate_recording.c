/*
 * Changes a recording as one who knows its structure: records are taken out,
 * put in, moved and changed field by field, and then each gets the mark of the
 * place where it stands. With libFuzzer's own mutations alone, hardly an input
 * would get past the mark of its first record.
 */
#include "fuzz.h"

#include <glib.h>

#include "events.h"

#define PIECES 4096u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

struct piece {
	enum { HEADER, RECORD, DEBRIS } is;
	size_t size;
	uint8_t *bytes; /* owned */
};

static struct piece pieces[PIECES];
static unsigned count;
static uint64_t random_state;

static uint64_t any(void) /* splitmix64 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned below(size_t n)
{
	return n ? (unsigned)(any() % n) : 0;
}

static void insert_piece(unsigned at, int is, const uint8_t *bytes, size_t size)
{
	if (count == PIECES)
		return;
	memmove(&pieces[at + 1], &pieces[at], (count - at) * sizeof(*pieces));
	pieces[at].is = (unsigned)is;
	pieces[at].size = size;
	pieces[at].bytes = g_malloc0(size);
	if (bytes)
		memcpy(pieces[at].bytes, bytes, size);
	count++;
}

static void delete_piece(unsigned at)
{
	g_free(pieces[at].bytes);
	memmove(&pieces[at], &pieces[at + 1], (count - at - 1) * sizeof(*pieces));
	count--;
}

static void take_apart(const uint8_t *data, size_t size)
{
	static const char magic[] = HC_MAGIC;
	size_t at = 0, slot = 0;

	while (at < size && count < PIECES) {
		struct hc_record record = { 0 };
		size_t left = size - at, length = MIN(left, HC_SLOT_SIZE);
		int is = DEBRIS;

		memcpy(&record, data + at, MIN(left, sizeof(record)));
		if (at == 0 || (left >= sizeof(magic) && !memcmp(data + at, magic, sizeof(magic)))) {
			is = HEADER;
			length = MIN(left, HC_HEADER_SIZE);
			slot = 0;
		} else if (record.mark == hc_mark(slot) && record.slots && record.slots * HC_SLOT_SIZE <= left) {
			is = RECORD;
			length = record.slots * HC_SLOT_SIZE;
		}
		insert_piece(count, is, data + at, length);
		if (is != HEADER)
			slot += length / HC_SLOT_SIZE;
		at += length;
	}
}

/* The header says how much there is, but for one in sixteen that lies. */
static void end_file(uint8_t *at, uint64_t used)
{
	struct hc_header header;

	if (!at || !below(16))
		return;
	memcpy(&header, at, sizeof(header));
	header.used = used;
	header.limit = 1u << 20;
	memcpy(at, &header, sizeof(header));
}

static size_t put_together(uint8_t *data, size_t max_size)
{
	uint8_t *header = NULL;
	size_t size = 0, slot = 0;

	for (unsigned i = 0; i < count && size + pieces[i].size <= max_size; i++) {
		struct piece *piece = &pieces[i];

		if (piece->is == HEADER) {
			end_file(header, slot * HC_SLOT_SIZE);
			header = piece->size == HC_HEADER_SIZE ? data + size : NULL;
			slot = 0;
		} else if (piece->is == RECORD) {
			struct hc_record *record = (void *)piece->bytes;

			record->mark = hc_mark(slot);
			record->slots = (uint16_t)(piece->size / HC_SLOT_SIZE);
		}
		memcpy(data + size, piece->bytes, piece->size);
		size += piece->size;
		if (piece->is != HEADER)
			slot += piece->size / HC_SLOT_SIZE;
	}
	end_file(header, slot * HC_SLOT_SIZE);
	return size;
}

/* ---- one record ---- */

static struct hc_address an_address(void)
{
	struct hc_address address = { .family = 2, .port = (uint16_t)(80 + below(3)), .ip = { 127, 0, 0, 1 } };

	if (below(4) == 0) {
		address.family = 10;
		memset(address.ip, 0, sizeof(address.ip));
		if (below(2))
			memcpy(address.ip + 10, "\377\377\177\0\0\1", 6);
	}
	return address;
}

static void random_bytes(uint8_t *at, size_t size)
{
	if (below(2))
		LLVMFuzzerMutate(at, size, size);
	else
		memset(at, below(2) ? 0xff : (int)below(3), size);
}

/* The few values that make events be about the same things. */
static void set_number(uint8_t *at, size_t size, uint64_t limit)
{
	uint64_t value = below(limit);

	if (below(8) == 0)
		random_bytes(at, size);
	else
		memcpy(at, &value, size); /* little endian */
}

static void set_span(struct piece *piece, uint8_t *at, size_t unit)
{
	struct hc_span span = { below(piece->size + 8), below(piece->size + 8) };

	if (below(4)) {
		span.offset = below(piece->size);
		span.size = (uint32_t)(below(piece->size - span.offset + 1) / unit * unit);
		if (span.size)
			random_bytes(piece->bytes + span.offset + below(span.size), 1);
	}
	memcpy(at, &span, sizeof(span));
}

static void change_field(struct piece *piece, const struct field *field)
{
	uint8_t *at = piece->bytes + field->offset;
	struct hc_address address;
	uint64_t sock;

	if (field->offset + field->size > piece->size)
		return;
	switch (field->type) {
	case FIELD_text:
		set_span(piece, at, 1);
		break;
	case FIELD_stack:
		set_span(piece, at, sizeof(struct hc_frame));
		break;
	case FIELD_address:
		address = an_address();
		memcpy(at, &address, sizeof(address));
		break;
	case FIELD_sock:
		sock = 1ull << 32 | below(6);
		memcpy(at, &sock, sizeof(sock));
		break;
	case FIELD_build:
		random_bytes(at, field->size);
		break;
	case FIELD_id:
		set_number(at, field->size, 4);
		break;
	case FIELD_error:
		set_number(at, field->size, below(2) ? 1 : 135);
		break;
	case FIELD_how:
		set_number(at, field->size, HC_HOWS + 1);
		break;
	default:
		set_number(at, field->size, 16);
	}
}

static void change_common(struct piece *piece)
{
	struct hc_record *record = (void *)piece->bytes;

	switch (below(5)) {
	case 0:
		record->event = (uint16_t)below(HC_EVENTS + 2);
		break;
	case 1:
		record->t = below(3) ? below(40) * 100000000ull : any() >> below(64);
		break;
	case 2:
		record->pid = 100 + below(4);
		break;
	case 3:
		record->tid = 100 + below(6);
		break;
	default:
		random_bytes(piece->bytes + 4, sizeof(*record) - 4);
	}
}

static void change_socket(struct piece *piece)
{
	struct hc_socket socket;

	if (piece->size < sizeof(struct hc_record) + sizeof(socket))
		return;
	memcpy(&socket, piece->bytes + sizeof(struct hc_record), sizeof(socket));
	switch (below(4)) {
	case 0:
		socket.sock = 1ull << 32 | below(6);
		break;
	case 1:
		socket.cookie = below(3) ? below(4) : UINT64_MAX;
		break;
	case 2:
		socket.fd = (int32_t)below(5) - 1;
		break;
	default:
		socket.family = (uint16_t)(below(2) ? below(12) : any());
	}
	memcpy(piece->bytes + sizeof(struct hc_record), &socket, sizeof(socket));
}

static void change_record(struct piece *piece)
{
	const struct hc_record *record = (const void *)piece->bytes;
	const struct event_kind *kind = event_kind(record->event);
	unsigned fields = 0, which = below(8);

	while (kind && kind->fields[fields].name)
		fields++;
	if (which == 0 || !fields)
		change_common(piece);
	else if (which < 3 && kind->socket)
		change_socket(piece);
	else if (which < 4)
		random_bytes(piece->bytes + 4 + below(piece->size - 5), 1);
	else
		change_field(piece, &kind->fields[below(fields)]);
}

static void resize_record(struct piece *piece)
{
	size_t slots = below(8) ? piece->size / HC_SLOT_SIZE + below(5) : 1 + below(below(4) ? 8 : 513), size;

	if (slots > 2 && below(8))
		slots -= 2;
	size = MAX(slots, 1) * HC_SLOT_SIZE;
	piece->bytes = g_realloc(piece->bytes, size);
	if (size > piece->size)
		memset(piece->bytes + piece->size, below(2) ? 0 : 'a', size - piece->size);
	piece->size = size;
}

/* A record with its fields at random. */
static void add_record(unsigned at)
{
	unsigned number = 1 + below(HC_EVENTS - 1);
	const struct event_kind *kind = event_kind(number);
	struct hc_record record = { .event = (uint16_t)number, .t = below(40) * 1000000ull, .pid = 100, .tid = 100 };
	size_t size = (kind->size + HC_SLOT_SIZE - 1 + below(64)) / HC_SLOT_SIZE * HC_SLOT_SIZE;

	if (count == PIECES)
		return;
	insert_piece(at, RECORD, NULL, size);
	memcpy(pieces[at].bytes, &record, sizeof(record));
	for (unsigned i = 0; kind->socket && i < 4; i++)
		change_socket(&pieces[at]);
	for (const struct field *field = kind->fields; field->name; field++)
		change_field(&pieces[at], field);
}

static void add_debris(unsigned at)
{
	uint8_t slot[HC_SLOT_SIZE] = { 0 };
	struct hc_record unfinished = { .event = HC_EVENT_close, .slots = (uint16_t)(1 + below(8)) };

	switch (below(3)) {
	case 0:
		memset(slot, 0xa5, sizeof(slot));
		break;
	case 1:
		memcpy(slot, &unfinished, sizeof(unfinished));
		break;
	}
	insert_piece(at, DEBRIS, slot, sizeof(slot));
}

/* ---- the file ---- */

static void change_header(struct piece *piece)
{
	random_bytes(piece->bytes + below(MIN(piece->size, sizeof(struct hc_header))), 1);
}

static void change(void)
{
	unsigned at = below(count), other = 1 + below(count);
	struct piece swap;

	switch (below(12)) {
	case 0:
		if (at)
			delete_piece(at);
		break;
	case 1:
		if (pieces[at].size < 2048)
			insert_piece(other, (int)pieces[at].is, pieces[at].bytes, pieces[at].size);
		break;
	case 2:
		if (at && other < count) {
			swap = pieces[at];
			pieces[at] = pieces[other];
			pieces[other] = swap;
		}
		break;
	case 3:
		if (pieces[at].is == RECORD)
			resize_record(&pieces[at]);
		break;
	case 4:
		add_debris(other);
		break;
	case 5:
	case 6:
		add_record(other);
		break;
	default:
		if (pieces[at].is == RECORD)
			change_record(&pieces[at]);
		else if (pieces[at].is == HEADER && below(8) == 0)
			change_header(&pieces[at]);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	random_state = seed;
	if (below(20) == 0 || size < HC_HEADER_SIZE)
		return LLVMFuzzerMutate(data, size, max_size);
	count = 0;
	take_apart(data, size);
	for (unsigned n = 1 + below(4); n; n--)
		change();
	size = put_together(data, max_size);
	while (count)
		delete_piece(count - 1);
	return size;
}

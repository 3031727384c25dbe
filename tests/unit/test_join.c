/* uses: recorder views process libc
 *
 * A recording that is there already is joined, whatever its header says: no
 * header makes the program that joins it fall, or another file's bytes change. */
#include "recorded.h"

enum { TIMES = 300, ROOM = 1 << 20, EVENTS = 5000 };

static uint64_t random_state;

static uint64_t any(void) /* splitmix64 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A number at which something changes, or a little beside it. */
static uint64_t edge(void)
{
	static const uint64_t edges[] = { 0, HC_SLOT_SIZE, HC_HEADER_SIZE, 128 * 1024, ROOM, 1ull << 32,
		                          1ull << 40, INT64_MAX, UINT64_MAX };
	uint64_t number = edges[any() % (sizeof edges / sizeof *edges)];
	if (any() % 4 == 0)
		return number;
	return number + (any() % 3 - 1) * (any() % 2 ? HC_SLOT_SIZE : any() % 9);
}

static int write_one(void)
{
	if (hc_recorder_open(path, ROOM))
		return 1;
	write_from_thread(NULL);
	return 0;
}

/* 0: joined, 10: refused */
static int join_it(void)
{
	if (hc_recorder_open(path, ROOM))
		return 10;
	hc_recorder_number();
	for (uint32_t i = 0; i < 3000; i++)
		record_exit(i);
	hc_recorder_stock_up();
	record_exit(0);
	return 0;
}

static void spoil(struct hc_header *header)
{
	uint32_t *words[] = { &header->version, &header->byte_order, &header->header_size, &header->slot_size };
	switch (any() % 8) {
	case 0:
		*words[any() % 4] ^= 1u << any() % 32;
		break;
	case 1:
		header->magic[any() % sizeof header->magic] ^= (char)(1 << any() % 8);
		break;
	case 2:
		header->boot_id[any() % sizeof header->boot_id] ^= 1;
		break;
	case 3:
	case 4:
		header->limit = edge();
		break;
	default:
		header->used = edge();
	}
	header->lost = any();
	header->processes = (uint32_t)any();
}

static void any_header_is_survived(void **state)
{
	unsigned joined = 0, refused = 0;
	(void)state;
	for (uint64_t seed = 1; seed <= TIMES; seed++) {
		struct hc_header header;
		random_state = seed;
		new_path("joined");
		assert_int_equal(in_child(write_one), 0);
		assert_int_equal(read_back().records, EVENTS);
		int fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
		for (uint64_t n = 1 + any() % 2; n; n--)
			spoil(&header);
		assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
		if (any() % 4 == 0)
			assert_int_equal(ftruncate(fd, (off_t)(any() % (2 * ROOM))), 0);
		int end = in_child(join_it);
		if (end != 0 && end != 10)
			print_error("seed %llu: limit %#llx, used %#llx: ended with %d\n", (unsigned long long)seed, (unsigned long long)header.limit, (unsigned long long)header.used, end);
		assert_true(end == 0 || end == 10);
		joined += end == 0;
		refused += end == 10;
		close(fd);
		unlink(path);
	}
	assert_true(joined > TIMES / 8 && refused > TIMES / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_header_is_survived),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

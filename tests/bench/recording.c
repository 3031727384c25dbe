/*
 * Writes a recording of a busy machine, as large as one likes, for what reads them.
 *
 *   recording FILE EVENTS [OPEN]   OPEN: connections that are open at once (10,000)
 *
 * Forked servers accept connections and end them in random order; of every fourth
 * the other end is recorded, too. One end in six is abrupt, with a stack: one of 200
 * through this program and the C library, so that there are names to be found. As
 * with threads, a record may come some places too late.
 */
#include <halfclose/recording.h>

#include <arpa/inet.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERVERS = 64, CLIENT = SERVERS, STACKS = 200, DEPTH = 12, FIRST_PID = 1000, LISTENER = 1 };

struct end {
	uint64_t sock; /* 0: there is none */
	uint64_t born;
	uint32_t process;
};

struct pair {
	struct end server, client;
	struct hc_address local, peer;
};

static FILE *file;
static uint64_t slot, events, now = 1000000000000u, seed = 1;
static uint32_t socks[SERVERS + 1];
static struct hc_frame stacks[STACKS][DEPTH];
static struct hc_build_id build_ids[2];
static uint64_t texts[2][2]; /* of the modules: where code begins, and how much there is */
static char paths[2][4096];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint32_t chance(uint32_t of)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % of);
}

static struct hc_record common(enum hc_event event, uint32_t process)
{
	now += 500 + chance(1000);
	uint64_t late = chance(8) ? 0 : chance(4000);
	return (struct hc_record){
		.event = (uint16_t)event, .t = now - late, .pid = FIRST_PID + process, .tid = FIRST_PID + process
	};
}

static void put(void *event, size_t size, const void *tail, size_t tail_size)
{
	static const char zeros[HC_SLOT_SIZE];
	struct hc_record *record = event;
	size_t all = size + tail_size, slots = (all + HC_SLOT_SIZE - 1) / HC_SLOT_SIZE;

	record->slots = (uint16_t)slots;
	record->mark = hc_mark(slot);
	slot += slots;
	events++;
	if (fwrite(event, size, 1, file) != 1 || (tail_size && fwrite(tail, tail_size, 1, file) != 1) ||
	    fwrite(zeros, 1, slots * HC_SLOT_SIZE - all, file) != slots * HC_SLOT_SIZE - all)
		fail("write");
}

static struct hc_socket socket_of(const struct end *end)
{
	return (struct hc_socket){
		.sock = end->sock, .cookie = UINT64_MAX, .fd = (int32_t)(end->sock % 1024 + 3), .family = AF_INET
	};
}

static uint64_t new_sock(uint32_t process)
{
	return (uint64_t)(process + 1) << 32 | ++socks[process];
}

static void open_one(struct pair *pair, uint32_t number)
{
	uint32_t ip = htonl(0x0a000000u + number / 50000), from = htonl(0x0a800001u);

	*pair = (struct pair){ .local = { .family = AF_INET, .port = 8080 } };
	memcpy(pair->local.ip, &from, sizeof from);
	pair->peer = (struct hc_address){ .family = AF_INET, .port = (uint16_t)(10000 + number % 50000) };
	memcpy(pair->peer.ip, &ip, sizeof ip);
	pair->server = (struct end){ .process = chance(SERVERS) };
	if (number % 4 == 0) {
		struct hc_connect connect = {
			.record = common(HC_EVENT_connect, CLIENT), .us = 30, .local = pair->peer, .peer = pair->local
		};
		pair->client = (struct end){ new_sock(CLIENT), connect.record.t, CLIENT };
		connect.socket = socket_of(&pair->client);
		put(&connect, sizeof connect, NULL, 0);
	}
	struct hc_accept accept = { .record = common(HC_EVENT_accept, pair->server.process),
		                    .listener = 1ull << 32 | LISTENER,
		                    .local = pair->local,
		                    .peer = pair->peer };
	pair->server.sock = new_sock(pair->server.process);
	pair->server.born = accept.record.t;
	accept.socket = socket_of(&pair->server);
	put(&accept, sizeof accept, NULL, 0);
}

static void put_close(const struct end *end, enum hc_outcome outcome, uint32_t flags)
{
	bool abrupt = outcome == HC_OUTCOME_reset_unread || outcome == HC_OUTCOME_reset_linger;
	struct hc_close close = {
		.record = common(HC_EVENT_close, end->process),
		.socket = socket_of(end),
		.how = HC_HOW_close,
		.state = HC_STATE_established,
		.outcome = (uint8_t)outcome,
		.flags = flags,
		.waiting = UINT32_MAX,
		.unread = outcome == HC_OUTCOME_reset_unread ? 1 + chance(100000) : 0,
		.unacked = abrupt ? chance(300000) : 0,
		.sent = 300000,
		.received = chance(200000),
	};
	close.us = (close.record.t - end->born) / 1000;
	if (abrupt)
		close.stack = (struct hc_span){ sizeof close, sizeof stacks[0] };
	put(&close, sizeof close, stacks[chance(STACKS)], close.stack.size);
}

static void close_one(struct pair *pair)
{
	static const enum hc_outcome outcomes[] = { HC_OUTCOME_reset_unread, HC_OUTCOME_reset_unread,
		                                    HC_OUTCOME_reset_linger, HC_OUTCOME_drain };
	uint32_t which = chance(20);
	enum hc_outcome outcome = which < 4 ? outcomes[which] : HC_OUTCOME_fin;

	if (outcome == HC_OUTCOME_fin && chance(2)) {
		struct hc_shutdown shutdown = { .record = common(HC_EVENT_shutdown, pair->server.process),
			                        .socket = socket_of(&pair->server),
			                        .side = HC_SIDE_wr,
			                        .state = HC_STATE_established };
		put(&shutdown, sizeof shutdown, NULL, 0);
	}
	put_close(&pair->server, outcome, HC_FLAG_accepted);
	if (outcome == HC_OUTCOME_drain) {
		struct hc_drain drain = { .record = common(HC_EVENT_drain, pair->server.process),
			                  .socket = socket_of(&pair->server),
			                  .drained = 4000,
			                  .us = 900,
			                  .result = { sizeof drain, 3 },
			                  .by = { sizeof drain + 3, 6 } };
		put(&drain, sizeof drain, "eofhelper", 9);
	}
	if (pair->client.sock)
		put_close(&pair->client, HC_OUTCOME_fin, HC_FLAG_connected);
}

/* What a stack can pass through: this program, and the C library. */
static int take_module(struct dl_phdr_info *info, size_t size, void *data)
{
	unsigned i = strstr(info->dlpi_name, "libc.so") ? 1 : 0;
	(void)size;
	(void)data;

	if (i == 0 && *info->dlpi_name)
		return 0;
	if (i)
		snprintf(paths[i], sizeof paths[i], "%s", info->dlpi_name);
	for (unsigned k = 0; k < info->dlpi_phnum; k++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[k];
		const ElfW(Nhdr) *note = (const void *)(info->dlpi_addr + segment->p_vaddr);
		const char *end = (const char *)note + segment->p_memsz;

		if (segment->p_type == PT_LOAD && segment->p_flags & PF_X) {
			texts[i][0] = segment->p_vaddr;
			texts[i][1] = segment->p_memsz;
		}
		while (segment->p_type == PT_NOTE && (const char *)(note + 1) < end) {
			const char *name = (const char *)(note + 1), *bytes = name + ((note->n_namesz + 3) & ~3u);

			if (note->n_type == 3 /* NT_GNU_BUILD_ID */ && note->n_namesz == 4 && !memcmp(name, "GNU", 4) &&
			    note->n_descsz <= sizeof build_ids[i].bytes) {
				build_ids[i].size = (uint8_t)note->n_descsz;
				memcpy(build_ids[i].bytes, bytes, note->n_descsz);
			}
			note = (const void *)(bytes + ((note->n_descsz + 3) & ~3u));
		}
	}
	return 0;
}

static void put_beginning(void)
{
	static const char exe[] = "/usr/sbin/server", cmdline[] = "server --port 8080";

	if (readlink("/proc/self/exe", paths[0], sizeof paths[0] - 1) < 0)
		fail("/proc/self/exe");
	dl_iterate_phdr(take_module, NULL);
	for (uint32_t i = 0; i <= SERVERS; i++) {
		bool forked = i && i != CLIENT;
		struct hc_process process = { .record = common(HC_EVENT_process, i),
			                      .ppid = forked ? FIRST_PID : 1,
			                      .start = forked ? HC_START_fork : HC_START_exec };
		if (!forked) {
			process.exe = (struct hc_span){ sizeof process, sizeof exe - 1 };
			process.cmdline = (struct hc_span){ sizeof process + sizeof exe, sizeof cmdline - 1 };
		}
		put(&process, sizeof process, forked ? "" : "/usr/sbin/server\0server --port 8080",
		    forked ? 0 : sizeof exe + sizeof cmdline);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct hc_module module = { .record = common(HC_EVENT_module, 0),
			                    .module = i + 1,
			                    .build_id = build_ids[i],
			                    .path = { sizeof module, (uint32_t)strlen(paths[i]) } };
		put(&module, sizeof module, paths[i], module.path.size);
	}
	for (unsigned i = 0; i < STACKS; i++) {
		for (unsigned k = 0; k < DEPTH; k++) {
			unsigned which = k == 0 || k == DEPTH - 1;
			stacks[i][k] =
			    (struct hc_frame){ which + 1, texts[which][0] + chance((uint32_t)texts[which][1]) };
		}
	}
	struct end end = { 1ull << 32 | LISTENER, now, 0 };
	struct hc_listen listen = { .record = common(HC_EVENT_listen, 0),
		                    .socket = socket_of(&end),
		                    .local = { .family = AF_INET, .port = 8080 } };
	socks[0] = LISTENER;
	put(&listen, sizeof listen, NULL, 0);
}

int main(int argc, char **argv)
{
	uint64_t wanted = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	uint32_t open = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 10000, number = 0;
	struct hc_header header = { HC_MAGIC,
		                    HC_VERSION,
		                    HC_BYTE_ORDER,
		                    HC_HEADER_SIZE,
		                    HC_SLOT_SIZE,
		                    0,
		                    now,
		                    1700000000000000000u,
		                    "bench",
		                    "",
		                    SERVERS + 1,
		                    0,
		                    0,
		                    0 };
	char page[HC_HEADER_SIZE] = { 0 };
	struct pair *pairs;

	if (argc < 3 || !wanted || !open) {
		fputs("usage: recording FILE EVENTS [OPEN]\n", stderr);
		return 2;
	}
	pairs = calloc(open, sizeof *pairs);
	file = fopen(argv[1], "we");
	if (!pairs || !file || fwrite(page, sizeof page, 1, file) != 1)
		fail(argv[1]);
	put_beginning();
	while (events < wanted) {
		struct pair *pair = number < open ? &pairs[number] : &pairs[chance(open)];

		if (pair->server.sock)
			close_one(pair);
		open_one(pair, number++);
	}
	header.used = slot * HC_SLOT_SIZE;
	header.limit = HC_HEADER_SIZE + header.used;
	memcpy(page, &header, sizeof header);
	rewind(file);
	if (fwrite(page, sizeof page, 1, file) != 1 || fclose(file))
		fail(argv[1]);
	free(pairs);
	return 0;
}

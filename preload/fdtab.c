#include "fdtab.h"
#include "holders.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
	TABLE_SIZE = 1 << 20,
	BLOCK = 2048, /* entries: 64 KiB of them */
	BLOCKS = TABLE_SIZE / BLOCK,
};

struct hc_fdtab hc_fdtab;

/* The blocks that were ever filled, a bit each. Only these are writable: the
 * rest counts for no limit on data and is nothing for mlockall to fill; and one
 * number far up does not make every walk touch all pages below it. */
static _Atomic uint64_t blocks[BLOCKS / 64];

/* Where the program's address space is limited, take a 64th of it at most. */
static unsigned table_size(void)
{
	struct rlimit64 limit;
	uint64_t size = TABLE_SIZE;
	if (!getrlimit64(RLIMIT_AS, &limit) && limit.rlim_cur / 64 / sizeof(struct hc_fd) < size)
		size = limit.rlim_cur / 64 / sizeof(struct hc_fd);
	return (unsigned)(size / BLOCK * BLOCK);
}

bool hc_fdtab_init(void)
{
	unsigned size = table_size();
	void *space = size ? mmap(NULL, size * sizeof(struct hc_fd), PROT_READ,
	                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
	                   : MAP_FAILED;
	if (space == MAP_FAILED)
		return false;
	/* a huge page for the first descriptor would be 2 MiB of nothing */
	madvise(space, size * sizeof(struct hc_fd), MADV_NOHUGEPAGE);
	hc_fdtab.entries = space;
	hc_fdtab.size = size;
	return true;
}

/* Before the first store into a block. */
static bool open_block(int fd)
{
	unsigned block = (unsigned)fd / BLOCK;
	uint64_t bit = UINT64_C(1) << block % 64;
	if (likely(atomic_load_explicit(&blocks[block / 64], memory_order_acquire) & bit))
		return true;
	int kept = errno;
	long failed = atomic_load(&hc_self.sandboxed)
	                  ? -1
	                  : hc_sys(SYS_mprotect, (long)&hc_fdtab.entries[block * BLOCK], BLOCK * sizeof(struct hc_fd),
	                           PROT_READ | PROT_WRITE, 0, 0);
	errno = kept;
	if (!failed)
		atomic_fetch_or(&blocks[block / 64], bit);
	return !failed;
}

static struct hc_fd *publish(int fd, uint32_t word, const struct hc_fd *from)
{
	struct hc_fd *entry = hc_fd(fd);
	if (!entry || !open_block(fd))
		return NULL;
	entry->epoch = from->epoch;
	entry->sock = from->sock;
	entry->born = from->born;
	entry->cookie = from->cookie;
	atomic_store_explicit(&entry->word, word, memory_order_release);
	return entry;
}

struct hc_fd *hc_fd_fill(int fd, uint32_t word, uint64_t sock, uint64_t born)
{
	struct hc_fd from = { .epoch = atomic_load(&hc_self.epoch), .sock = sock, .born = born, .cookie = UINT64_MAX };
	return publish(fd, word, &from);
}

void hc_fd_copy(int from, int to)
{
	struct hc_fd *entry = hc_fd(from);
	if (from == to)
		return;
	uint32_t word = entry ? atomic_load(&entry->word) : 0;
	if (!word) {
		hc_fd_forget(to);
		return;
	}
	/* counted before `to` can be closed by anyone who knows of it */
	hc_holders_copy(entry->sock);
	atomic_fetch_or(&entry->word, HC_FD_COPIED);
	if (!publish(to, word | HC_FD_COPIED, entry))
		hc_holders_release(entry->sock);
}

static bool copy_entry(const struct hc_fd *entry, uint32_t word, struct hc_fd *copy)
{
	if (!word)
		return false;
	copy->epoch = entry->epoch;
	copy->sock = entry->sock;
	copy->born = entry->born;
	copy->cookie = entry->cookie;
	atomic_store_explicit(&copy->word, word, memory_order_relaxed);
	return true;
}

/* The number can't be given out again before the caller has closed it, so the
 * rest of the entry stands still. */
bool hc_fd_claim(int fd, struct hc_fd *copy)
{
	struct hc_fd *entry = hc_fd(fd);
	/* only what was filled is writable */
	return copy_entry(entry, hc_fd_word(fd) ? atomic_exchange(&entry->word, 0) : 0, copy);
}

bool hc_fd_read(int fd, struct hc_fd *copy)
{
	return copy_entry(hc_fd(fd), hc_fd_word(fd), copy);
}

void hc_fd_restore(int fd, const struct hc_fd *copy)
{
	uint32_t none = 0;
	atomic_compare_exchange_strong(&hc_fd(fd)->word, &none,
	                               atomic_load_explicit(&copy->word, memory_order_relaxed));
}

/* The first block >= from that was ever filled, or BLOCKS. */
static unsigned next_block(unsigned from)
{
	for (unsigned word = from / 64; word < BLOCKS / 64; word++) {
		uint64_t bits = atomic_load(&blocks[word]);
		if (word == from / 64)
			bits &= UINT64_MAX << from % 64;
		if (bits)
			return word * 64 + (unsigned)__builtin_ctzll(bits);
	}
	return BLOCKS;
}

int hc_fd_next(int from)
{
	unsigned fd = from < 0 ? 0 : (unsigned)from;
	while (fd < hc_fdtab.size) {
		unsigned block = next_block(fd / BLOCK);
		if (block == BLOCKS)
			break;
		if (fd < block * BLOCK)
			fd = block * BLOCK;
		for (; fd < (block + 1) * BLOCK; fd++)
			if (atomic_load_explicit(&hc_fdtab.entries[fd].word, memory_order_acquire))
				return (int)fd;
	}
	return -1;
}

uint32_t hc_kind(int domain, int type, int protocol, bool want_unix)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain == AF_INET || domain == AF_INET6) {
		if (type != SOCK_STREAM || (protocol && protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP))
			return 0;
		return HC_FD_TCP | (domain == AF_INET6 ? HC_FD_INET6 : 0u) |
		       (protocol == IPPROTO_MPTCP ? HC_FD_MPTCP : 0u);
	}
	if (domain == AF_UNIX && want_unix && (type == SOCK_STREAM || type == SOCK_SEQPACKET))
		return HC_FD_UNIX;
	return 0;
}

void hc_record_socket(struct hc_socket *into, int fd, const struct hc_fd *entry)
{
	uint32_t word = atomic_load_explicit(&entry->word, memory_order_relaxed);
	into->sock = entry->sock;
	into->cookie = entry->cookie;
	into->fd = fd;
	into->family = word & HC_FD_UNIX ? AF_UNIX : word & HC_FD_INET6 ? AF_INET6 : AF_INET;
}

#include "fdtab.h"
#include "holders.h"

#include <netinet/in.h>
#include <sys/mman.h>

enum { BLOCK = HC_FDTAB_BLOCK, BLOCKS = HC_FDTAB_BLOCKS };

struct hc_fdtab hc_fdtab;

/* Most programs need no other. */
static struct hc_fd first_block[BLOCK];

/* The blocks that there are, a bit each, for walks. */
static _Atomic uint64_t blocks[BLOCKS / 64];

static void add_block(unsigned block)
{
	atomic_fetch_or(&blocks[block / 64], UINT64_C(1) << block % 64);
}

void hc_fdtab_init(void)
{
	atomic_store(&hc_fdtab.blocks[0], first_block);
	add_block(0);
}

void hc_fdtab_close(void)
{
	for (unsigned word = 0; word < BLOCKS / 64; word++)
		atomic_store(&blocks[word], 0);
	for (unsigned block = 0; block < BLOCKS; block++)
		atomic_store(&hc_fdtab.blocks[block], NULL);
}

/* The entry to fill, or NULL: the number is too high, or there is no memory. */
static struct hc_fd *make_entry(int fd)
{
	struct hc_fd *entry = hc_fd(fd), *none = NULL;
	if (likely(entry) || (unsigned)fd >= HC_FDTAB_SIZE || !hc_self.on || atomic_load(&hc_self.sandboxed))
		return entry;
	unsigned block = (unsigned)fd / BLOCK;
	size_t size = BLOCK * sizeof *entry;
	int kept = errno;
	void *space = mmap64(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	/* another thread may have been faster */
	if (space != MAP_FAILED && !atomic_compare_exchange_strong(&hc_fdtab.blocks[block], &none, space))
		munmap(space, size);
	errno = kept;
	entry = hc_fd(fd);
	if (entry)
		add_block(block);
	return entry;
}

static void copy_rest(struct hc_fd *to, const struct hc_fd *from, memory_order order)
{
	atomic_store_explicit(&to->epoch, atomic_load_explicit(&from->epoch, memory_order_acquire), order);
	atomic_store_explicit(&to->born, atomic_load_explicit(&from->born, memory_order_acquire), order);
	atomic_store_explicit(&to->cookie, atomic_load_explicit(&from->cookie, memory_order_acquire), order);
}

static struct hc_fd *publish(int fd, uint32_t word, const struct hc_fd *from)
{
	struct hc_fd *entry = make_entry(fd);
	if (!entry)
		return NULL;
	/* whoever reads one of the others' new values finds the new sock, too */
	atomic_store_explicit(&entry->sock, from->sock, memory_order_relaxed);
	copy_rest(entry, from, memory_order_release);
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
	if (hc_fd_word(to) && atomic_load(&hc_fd(to)->sock) == atomic_load(&entry->sock))
		return; /* counted already */
	/* counted before `to` can be closed by anyone who knows of it */
	hc_holders_copy(entry->sock);
	hc_fd_mark(from, HC_FD_COPIED);
	if (!publish(to, (word | HC_FD_COPIED) & ~(uint32_t)(HC_FD_POLLED | HC_FD_POLLED_MORE), entry))
		hc_holders_release(entry->sock);
}

static bool copy_entry(const struct hc_fd *entry, uint32_t word, struct hc_fd *copy)
{
	if (!word)
		return false;
	uint64_t sock = atomic_load_explicit(&entry->sock, memory_order_relaxed);
	copy_rest(copy, entry, memory_order_relaxed);
	atomic_store_explicit(&copy->sock, sock, memory_order_relaxed);
	atomic_store_explicit(&copy->word, word, memory_order_relaxed);
	return true;
}

/* The number can't be given out again before the caller has closed it, so the
 * rest of the entry stands still. */
bool hc_fd_claim(int fd, struct hc_fd *copy)
{
	struct hc_fd *entry = hc_fd(fd);
	return copy_entry(entry, hc_fd_word(fd) ? atomic_exchange(&entry->word, 0) : 0, copy);
}

bool hc_fd_read(int fd, struct hc_fd *copy)
{
	const struct hc_fd *entry = hc_fd(fd);
	return copy_entry(entry, hc_fd_word(fd), copy) && atomic_load(&entry->sock) == atomic_load(&copy->sock);
}

void hc_fd_restore(int fd, const struct hc_fd *copy)
{
	uint32_t none = 0;
	atomic_compare_exchange_strong(&hc_fd(fd)->word, &none,
	                               atomic_load_explicit(&copy->word, memory_order_relaxed));
}

/* The first block >= from that there is, or BLOCKS. */
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
	while (fd < HC_FDTAB_SIZE) {
		unsigned block = next_block(fd / BLOCK);
		if (block == BLOCKS)
			break;
		if (fd < block * BLOCK)
			fd = block * BLOCK;
		for (; fd < (block + 1) * BLOCK; fd++)
			if (hc_fd_word((int)fd))
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

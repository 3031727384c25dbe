/*
 * How a connection is born: socket, socketpair, connect, listen, accept. Here
 * bookkeeping comes after the real call, which is what gives the number.
 */
#include "birth.h"
#include "only.h"
#include "options.h"
#include "recorder.h"
#include "stack.h"

#include <string.h>

void hc_birth_socket(int fd, int domain, int type, int protocol)
{
	/* a followed number is born again only in a vfork child, or if its end
	 * was not seen */
	if (hc_fd_word(fd) && hc_is_guest())
		return;
	uint32_t word = hc_self.on ? hc_kind(domain, type, protocol, hc_options.SOCKETS == HC_SOCKETS_TCP_UNIX) : 0;
	if (word)
		hc_fd_fill(fd, word, hc_new_sock(), hc_self.recording ? hc_now() : 0);
	else
		hc_fd_forget(fd);
}

HC_HOOK int socket(int domain, int type, int protocol)
{
	hc_libc_need();
	int fd = hc_libc.socket(domain, type, protocol);
	if (fd >= 0)
		hc_birth_socket(fd, domain, type, protocol);
	return fd;
}

HC_HOOK int socketpair(int domain, int type, int protocol, int pair[2])
{
	hc_libc_need();
	int result = hc_libc.socketpair(domain, type, protocol, pair);
	for (int i = 0; !result && i < 2; i++) {
		hc_birth_socket(pair[i], domain, type, protocol);
		hc_record_adopted(pair[i], HC_VIA_socketpair);
	}
	return result;
}

/* Leaves the table what HALFCLOSE_ONLY lets through. */
static bool is_wanted(int fd, const struct hc_address *local, const struct hc_address *peer)
{
	if (hc_only_connection(local, peer))
		return true;
	hc_fd_forget(fd);
	return false;
}

/* Can the kernel have failed to read the caller's address? */
static bool is_readable(const struct sockaddr *peer, socklen_t size, int error)
{
	return peer && size >= sizeof peer->sa_family && error != EFAULT && error != EINVAL && error != EBADF &&
	       error != ENOTSOCK;
}

static size_t unix_path(const struct sockaddr *peer, socklen_t size, const char **path)
{
	size_t head = offsetof(struct sockaddr, sa_data);
	*path = peer->sa_data;
	if (peer->sa_family != AF_UNIX || size <= head || size > head + 108)
		return 0;
	return peer->sa_data[0] ? strnlen(peer->sa_data, size - head) : size - head;
}

void hc_birth_connect(int fd, const struct sockaddr *peer, socklen_t size, int error, uint64_t since)
{
	struct hc_fd *entry = hc_fd(fd);
	struct hc_address to = { 0 }, local = { 0 };
	struct sockaddr_storage name;
	struct hc_frame frames[HC_STACK_MAX];
	const char *path = NULL;
	size_t length = 0, used = 0;
	int kept = errno;

	if (!hc_fd_word(fd) || !hc_tell(HC_EVENT_connect, (uint32_t)fd))
		return; /* the process has ended meanwhile */
	if (!error || error == EINPROGRESS || error == EINTR)
		hc_fd_mark(fd, HC_FD_CONNECTED);
	if (is_readable(peer, size, error)) {
		size = size < sizeof name ? size : sizeof name;
		memcpy(&name, peer, size);
		hc_address_from(&to, (const void *)&name, size);
		length = unix_path((const void *)&name, size, &path);
	}
	bool named = (hc_self.recording || hc_only_has_names()) && !length;
	if (named && (!error || error == EINPROGRESS))
		hc_probe_local(fd, &local);
	if (!is_wanted(fd, &local, &to) || !hc_self.recording)
		goto out;
	uint64_t t = hc_now();
	size_t depth = hc_stack_of_birth(frames);
	struct hc_connect *event = hc_record_at(HC_EVENT_connect, length + depth * sizeof *frames, t);
	if (!event)
		goto out;
	hc_record_socket(&event->socket, fd, entry);
	event->result = (uint32_t)error;
	event->us = (t - since) / 1000;
	event->local = local;
	event->peer = to;
	event->path = hc_tail(event, &used, path ? path : "", length);
	event->stack = hc_tail(event, &used, frames, depth * sizeof *frames);
	hc_commit(event);
out:
	errno = kept;
}

static inline int connect_by(hc_call_connect real, int fd, const struct sockaddr *peer, socklen_t size)
{
	if (likely(!hc_fd_word(fd)))
		return real(fd, peer, size);
	uint64_t since = hc_self.recording ? hc_now() : 0;
	hc_ask();
	int result = real(fd, peer, size);
	hc_birth_connect(fd, peer, size, result ? errno : 0, since);
	return result;
}

HC_HOOK int connect(int fd, const struct sockaddr *peer, socklen_t size)
{
	hc_libc_need();
	return connect_by(hc_libc.connect, fd, peer, size);
}

HC_HOOK int __connect(int fd, const struct sockaddr *peer, socklen_t size)
{
	hc_libc_need();
	return connect_by(hc_libc.__connect, fd, peer, size);
}

/* Records what a listener is bound to, once; where that is one address, its
 * connections need not be asked for theirs. */
static void note_listener(int fd, struct hc_fd *entry, uint32_t word)
{
	static const uint8_t any[16];
	struct hc_address local = { 0 };
	char path[108];
	size_t length = 0, used = 0;

	if (word & HC_FD_UNIX)
		length = hc_probe_unix_path(fd, false, path, sizeof path);
	else
		hc_probe_local(fd, &local);
	if (!(word & HC_FD_UNIX) && local.family && memcmp(local.ip, any, sizeof any))
		hc_fd_mark(fd, HC_FD_ONE_ADDRESS);
	struct hc_listen *event = hc_record(HC_EVENT_listen, length);
	if (!event)
		return;
	hc_record_socket(&event->socket, fd, entry);
	event->local = local;
	event->path = hc_tail(event, &used, path, length);
	hc_commit(event);
}

void hc_birth_listener(int fd)
{
	uint32_t word = hc_fd_word(fd);
	int kept = errno;
	if (likely(!word || word & HC_FD_LISTENER))
		return;
	hc_fd_mark(fd, HC_FD_LISTENER);
	if (hc_self.recording)
		note_listener(fd, hc_fd(fd), word);
	errno = kept;
}

HC_HOOK int listen(int fd, int backlog)
{
	hc_libc_need();
	int result = hc_libc.listen(fd, backlog);
	if (!result)
		hc_birth_listener(fd);
	return result;
}

void hc_birth_accept(int listener, int fd, const struct sockaddr *peer, socklen_t filled)
{
	uint32_t word = hc_fd_word(listener);
	struct hc_address from = { 0 }, local = { 0 };
	struct hc_frame frames[HC_STACK_MAX];
	size_t used = 0;
	int kept = errno;

	bool first = hc_tell(HC_EVENT_accept, (uint32_t)fd);
	if (hc_fd_word(fd) && (!first || hc_is_guest()))
		return;
	if (!word) {
		hc_fd_forget(fd);
		return;
	}
	const struct hc_fd *its = hc_fd(listener);
	/* an accepted socket has the SO_LINGER that its listener had when the
	 * connection was made */
	uint32_t own = (word & (HC_FD_TCP | HC_FD_UNIX | HC_FD_INET6 | HC_FD_MPTCP | HC_FD_LINGER0 | HC_FD_LINGERS)) |
	               HC_FD_ACCEPTED;
	bool named = hc_self.recording || hc_only_has_names();
	if (own & HC_FD_LINGER0 && !hc_probe_linger0(fd))
		own &= ~(uint32_t)HC_FD_LINGER0;
	struct hc_fd *entry = hc_fd_fill(fd, own, hc_new_sock(), hc_self.recording ? hc_now() : 0);
	if (!named || !entry)
		goto out;
	if (!(word & HC_FD_UNIX)) {
		if (filled)
			hc_address_from(&from, peer, filled);
		else
			hc_probe_peer(fd, &from);
		if (!(word & HC_FD_ONE_ADDRESS) || hc_only_has_names())
			hc_probe_local(fd, &local);
	}
	if (!is_wanted(fd, &local, &from) || !hc_self.recording)
		goto out;
	size_t depth = hc_stack_of_birth(frames);
	struct hc_accept *event = hc_record_at(HC_EVENT_accept, depth * sizeof *frames, entry->born);
	if (!event)
		goto out;
	hc_record_socket(&event->socket, fd, entry);
	event->listener = its->sock;
	event->local = local;
	event->peer = from;
	event->stack = hc_tail(event, &used, frames, depth * sizeof *frames);
	hc_commit(event);
out:
	errno = kept;
}

/* The address that accept fills in spares a question. How much of it was filled
 * can't be told afterwards without its room, which is read beforehand only where
 * it lies in the page of our own frame: any other may not be there, not even right
 * above, where a small stack ends. Who wants no address gives us ours. */
struct room {
	struct sockaddr *peer;
	socklen_t *size, known, own_size;
	struct sockaddr_storage own;
};

static inline void find_room(struct room *room, int listener, struct sockaddr *peer, socklen_t *size)
{
	enum { PAGE = 4096 };
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0), at = (uintptr_t)size;
	hc_ask();
	room->peer = peer;
	room->size = size;
	room->known = 0;
	if (!hc_self.recording || !hc_fd_word(listener) || atomic_load(&hc_self.sandboxed))
		return;
	if (!peer) {
		room->peer = (void *)&room->own;
		room->size = &room->own_size;
		room->own_size = room->known = sizeof room->own;
	} else if (at / PAGE == frame / PAGE && at % PAGE <= PAGE - sizeof *size) {
		room->known = *size;
	}
}

static inline int accepted(const struct room *room, int listener, int fd)
{
	if (fd >= 0)
		hc_birth_accept(listener, fd, room->peer,
		                room->known && *room->size < room->known ? *room->size : room->known);
	return fd;
}

HC_HOOK int accept(int fd, struct sockaddr *peer, socklen_t *size)
{
	struct room room;
	hc_libc_need();
	find_room(&room, fd, peer, size);
	return accepted(&room, fd, hc_libc.accept(fd, room.peer, room.size));
}

HC_HOOK int accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags)
{
	struct room room;
	hc_libc_need();
	find_room(&room, fd, peer, size);
	return accepted(&room, fd, hc_libc.accept4(fd, room.peer, room.size, flags));
}

/*
 * Sockets that came in from outside: held when the program started, or received
 * in a message; and those that go out. Who else holds them is not known, which
 * the table notes.
 */
#include "birth.h"
#include "only.h"
#include "options.h"
#include "recorder.h"

void hc_record_adopted(int fd, enum hc_via via)
{
	struct hc_fd *entry = hc_fd(fd);
	uint32_t word = hc_fd_word(fd);
	struct hc_address local = { 0 }, peer = { 0 };
	char path[108];
	size_t length = 0, used = 0;
	int kept = errno;

	if (!word || !hc_self.recording)
		return;
	if (word & HC_FD_UNIX) {
		length = hc_probe_unix_path(fd, !(word & HC_FD_LISTENER), path, sizeof path);
	} else {
		hc_probe_local(fd, &local);
		hc_probe_peer(fd, &peer);
	}
	struct hc_adopt *event = hc_record(HC_EVENT_adopt, length);
	if (event) {
		hc_record_socket(&event->socket, fd, entry);
		event->via = (uint8_t)via;
		event->state = (uint8_t)hc_probe_state(fd, word);
		event->local = local;
		event->peer = peer;
		event->path = hc_tail(event, &used, path, length);
		hc_commit(event);
	}
	errno = kept;
}

void hc_record_passed(int fd, enum hc_via via)
{
	struct hc_fd *entry = hc_fd(fd);
	if (!hc_self.recording || !hc_fd_word(fd))
		return;
	if (entry->cookie == UINT64_MAX)
		entry->cookie = hc_probe_cookie(fd);
	struct hc_pass *event = hc_record(HC_EVENT_pass, 0);
	if (!event)
		return;
	hc_record_socket(&event->socket, fd, entry);
	event->via = (uint8_t)via;
	hc_commit(event);
}

/* Another descriptor of this process that came in with the same socket: inetd
 * puts one on 0, 1 and 2. Or -1. */
static int find_twin(uint64_t cookie, int fd)
{
	for (int other = hc_fd_next(0); other >= 0; other = hc_fd_next(other + 1))
		if (other != fd && hc_fdtab.entries[other].cookie == cookie && hc_fd_word(other) & HC_FD_OUTSIDE)
			return other;
	return -1;
}

void hc_birth_adopt(int fd, enum hc_via via)
{
	uint32_t word = hc_probe_kind(fd, hc_options.SOCKETS == HC_SOCKETS_TCP_UNIX);
	if (!word) {
		hc_fd_forget(fd);
		return;
	}
	uint64_t cookie = hc_probe_cookie(fd);
	int twin = cookie != UINT64_MAX ? find_twin(cookie, fd) : -1;
	if (twin >= 0) {
		hc_fd_copy(twin, fd);
		return;
	}
	struct hc_address local, peer;
	if (hc_only_has_names() && !(word & (HC_FD_LISTENER | HC_FD_UNIX))) {
		hc_probe_local(fd, &local);
		hc_probe_peer(fd, &peer);
		if (!hc_only_connection(&local, &peer)) {
			hc_fd_forget(fd);
			return;
		}
	}
	struct hc_fd *entry = hc_fd_fill(fd, word | HC_FD_OUTSIDE, hc_new_sock(), hc_self.recording ? hc_now() : 0);
	if (!entry)
		return;
	entry->cookie = cookie;
	if (word & HC_FD_TCP && hc_probe_linger0(fd))
		hc_fd_mark(fd, HC_FD_LINGER0);
	hc_record_adopted(fd, via);
}

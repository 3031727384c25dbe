/*
 * Sockets that came in from outside: held when the program started, or received
 * in a message. Who else holds them is not known, which the table notes.
 */
#include "birth.h"
#include "inherit.h"
#include "only.h"
#include "options.h"

/* Another descriptor of this process that came in with the same socket: inetd
 * puts one on 0, 1 and 2. Or -1. */
static int find_twin(uint64_t cookie, int fd)
{
	struct hc_fd entry;
	for (int other = hc_fd_next(0); other >= 0; other = hc_fd_next(other + 1))
		if (other != fd && hc_fd_read(other, &entry) && entry.cookie == cookie)
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
	if (cookie != UINT64_MAX && hc_fd_word(fd) && hc_fd(fd)->cookie == cookie)
		return; /* taken in already */
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
	/* unless the program before us knew that nobody else has it */
	if (via != HC_VIA_exec || !hc_inherit_is_only(cookie))
		word |= HC_FD_OUTSIDE;
	struct hc_fd *entry = hc_fd_fill(fd, word, hc_new_sock(), hc_self.recording ? hc_now() : 0);
	if (!entry)
		return;
	entry->cookie = cookie;
	if (word & HC_FD_TCP && hc_probe_linger0(fd))
		hc_fd_mark(fd, HC_FD_LINGER0);
	hc_record_adopted(fd, via);
}

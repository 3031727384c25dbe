/*
 * Half-close, and what decides how a close will go.
 */
#include "ending.h"
#include "options.h"
#include "recorder.h"
#include "sharing.h"
#include "shutdown.h"

enum hc_state hc_shutdown_begin(int fd)
{
	return hc_self.recording && !hc_is_guest() ? hc_probe_state(fd, hc_fd_word(fd)) : HC_STATE_unknown;
}

void hc_shutdown_done(int fd, int side, enum hc_state state, int error)
{
	int kept = errno;
	struct hc_fd *entry = hc_fd(fd);
	struct hc_shutdown *event = hc_self.recording && side >= 0 && side < HC_SIDES && !hc_is_guest() &&
	                                    hc_tell(HC_EVENT_shutdown, (uint32_t)fd)
	                                ? hc_record(HC_EVENT_shutdown, 0)
	                                : NULL;
	if (event) {
		hc_record_socket(&event->socket, fd, entry);
		event->side = (uint8_t)side;
		event->state = (uint8_t)state;
		event->result = (uint32_t)error;
		hc_commit(event);
	}
	errno = kept;
}

bool hc_shutdown_put_off(int fd)
{
	return hc_is_only(fd) && hc_graceful_shutdown(fd, hc_fd(fd), hc_probe_state(fd, hc_fd_word(fd)));
}

HC_HOOK int shutdown(int fd, int side)
{
	hc_libc_need();
	bool put_off = side == SHUT_RDWR && hc_options.GRACEFUL & HC_GRACEFUL_RDWR;
	if (likely(!hc_fd_word(fd) || !(hc_self.recording || put_off)))
		return hc_libc.shutdown(fd, side);
	hc_ask();
	enum hc_state state = hc_shutdown_begin(fd);
	bool done = put_off && hc_shutdown_put_off(fd);
	int result = done ? 0 : hc_libc.shutdown(fd, side);
	hc_shutdown_done(fd, side, state, result ? errno : 0);
	return result;
}

void hc_option_set(int fd, int level, int name, const void *value)
{
	if (likely(level != SOL_SOCKET || name != SO_LINGER || !hc_fd_word(fd)))
		return;
	const struct linger *linger = value;
	atomic_fetch_and(&hc_fd(fd)->word, ~(uint32_t)(HC_FD_LINGER0 | HC_FD_LINGERS));
	if (linger->l_onoff)
		hc_fd_mark(fd, linger->l_linger ? HC_FD_LINGERS : HC_FD_LINGER0);
}

HC_HOOK int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	hc_libc_need();
	int result = hc_libc.setsockopt(fd, level, name, value, size);
	if (!result)
		hc_option_set(fd, level, name, value);
	return result;
}

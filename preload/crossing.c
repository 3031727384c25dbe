#include "crossing.h"
#include "fdtab.h"
#include "options.h"
#include "probe.h"
#include "recorder.h"
#include "stack.h"

size_t hc_stack_of_birth(struct hc_frame *frames)
{
	return hc_options.STACK == HC_STACK_OPENS ? hc_stack_take(frames, (size_t)hc_options.STACK_DEPTH) : 0;
}

void hc_record_adopted(int fd, enum hc_via via)
{
	struct hc_fd *entry = hc_fd(fd);
	uint32_t word = hc_fd_word(fd);
	struct hc_address local = { 0 }, peer = { 0 };
	struct hc_frame frames[HC_STACK_MAX];
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
	/* what an exec left is found by our constructor: no caller to name */
	size_t depth = via != HC_VIA_exec ? hc_stack_of_birth(frames) : 0;
	struct hc_adopt *event = hc_record(HC_EVENT_adopt, length + depth * sizeof *frames);
	if (event) {
		hc_record_socket(&event->socket, fd, entry);
		event->via = (uint8_t)via;
		event->state = (uint8_t)hc_probe_state(fd, word);
		event->local = local;
		event->peer = peer;
		event->path = hc_tail(event, &used, path, length);
		event->stack = hc_tail(event, &used, frames, depth * sizeof *frames);
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

void hc_note_gone(int fd)
{
	uint32_t word = hc_fd_word(fd);
	if (likely(!word || word & HC_FD_OUTSIDE))
		return;
	/* epochs are compared by their distance: they may wrap */
	if ((int32_t)(atomic_load(&hc_self.spawned) - hc_fd(fd)->epoch) > 0 && !hc_is_guest() &&
	    !hc_probe_close_on_exec(fd))
		hc_fd_mark(fd, HC_FD_OUTSIDE);
}

/*
 * How one socket gets several descriptors, here or in other processes.
 */
#include "birth.h"
#include "copy.h"
#include "ending.h"
#include "options.h"
#include "polls.h"

#include <fcntl.h>
#include <string.h>

HC_HOOK int dup(int fd)
{
	hc_libc_need();
	int copy = hc_libc.dup(fd);
	if (copy >= 0)
		hc_copied(fd, copy);
	return copy;
}

void hc_copied(int from, int to)
{
	if (unlikely(hc_options.GRACEFUL))
		hc_polls_copied(from, to);
	if (likely(!hc_fd_word(from) && !hc_fd_word(to)))
		return;
	if (hc_is_guest())
		return;
	hc_note_gone(from);
	hc_fd_copy(from, to);
}

bool hc_is_open(int fd)
{
	if (likely(!hc_options.GRACEFUL))
		return true;
	if (atomic_load(&hc_self.sandboxed))
		return false;
	int kept = errno;
	bool is = hc_sys(SYS_fcntl, fd, F_GETFD, 0, 0, 0) >= 0;
	errno = kept;
	return is;
}

/* What the number meant ends, unless the call fails. */
static int dup2_by(hc_call_dup2 real, int from, int to, const void *caller)
{
	struct hc_ending ending;
	bool followed = from != to && hc_ending_begin(&ending, to, HC_HOW_dup2, caller, hc_is_open(from));
	int result = real(from, to);
	hc_copied_onto(from, to, result >= 0, followed ? &ending : NULL);
	return result;
}

HC_HOOK int dup2(int from, int to)
{
	hc_libc_need();
	return dup2_by(hc_libc.dup2, from, to, HC_CALLER);
}

HC_HOOK int __dup2(int from, int to)
{
	hc_libc_need();
	return dup2_by(hc_libc.__dup2, from, to, HC_CALLER);
}

HC_HOOK int dup3(int from, int to, int flags)
{
	struct hc_ending ending;
	hc_libc_need();
	bool followed = from != to &&
	                hc_ending_begin(&ending, to, HC_HOW_dup3, HC_CALLER, !(flags & ~O_CLOEXEC) && hc_is_open(from));
	int result = hc_libc.dup3(from, to, flags);
	hc_copied_onto(from, to, result >= 0, followed ? &ending : NULL);
	return result;
}

void hc_copied_onto(int from, int to, bool done, struct hc_ending *ending)
{
	if (done && from != to)
		hc_copied(from, to);
	if (!ending)
		return;
	if (done)
		hc_ending_finish(ending);
	else
		hc_ending_undo(ending);
}

/* fcntl is variadic in its header and takes an int or a pointer: both travel
 * where a pointer does. */
static inline int fcntl_by(hc_call_fcntl real, int fd, int command, void *argument)
{
	if (unlikely(command == F_SETFD))
		hc_note_gone(fd);
	int result = real(fd, command, argument);
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && result >= 0)
		hc_copied(fd, result);
	return result;
}

int hc_fcntl(int fd, int command, void *argument) HC_SYMBOL(fcntl);
HC_HOOK int hc_fcntl(int fd, int command, void *argument)
{
	hc_libc_need();
	return fcntl_by(hc_libc.fcntl, fd, command, argument);
}

int hc_fcntl64(int fd, int command, void *argument) HC_SYMBOL(fcntl64);
HC_HOOK int hc_fcntl64(int fd, int command, void *argument)
{
	hc_libc_need();
	return fcntl_by(hc_libc.fcntl64, fd, command, argument);
}

HC_HOOK int __fcntl(int fd, int command, void *argument)
{
	hc_libc_need();
	return fcntl_by(hc_libc.__fcntl, fd, command, argument);
}

/* A message is looked at only after the kernel has read or written it without
 * complaint, and only its control part. */
static void each_right(const struct msghdr *message, void (*see)(int fd))
{
	struct msghdr control = { .msg_control = message->msg_control, .msg_controllen = message->msg_controllen };
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&control); part; part = CMSG_NXTHDR(&control, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(0))
			continue;
		size_t n = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
			see(fd);
		}
	}
}

static void pass(int fd)
{
	if (!hc_fd_word(fd) || hc_is_guest())
		return;
	hc_fd_mark(fd, HC_FD_OUTSIDE);
	hc_holders_pass(hc_fd(fd)->sock);
	hc_record_passed(fd, HC_VIA_scm_rights);
}

static void receive(int fd)
{
	if (hc_self.on && !hc_is_guest())
		hc_birth_adopt(fd, HC_VIA_scm_rights);
}

static void see_rights(const struct msghdr *message, void (*see)(int fd))
{
	if (likely(!message->msg_controllen))
		return;
	int kept = errno;
	each_right(message, see);
	errno = kept;
}

void hc_sent(const struct msghdr *message)
{
	if (unlikely(message->msg_controllen) && hc_tell(HC_EVENT_pass, (uint32_t)(uintptr_t)message))
		see_rights(message, pass);
}

void hc_received(const struct msghdr *message)
{
	see_rights(message, receive);
}

HC_HOOK ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	hc_libc_need();
	hc_ask();
	ssize_t result = hc_libc.sendmsg(fd, message, flags);
	if (likely(result >= 0))
		hc_sent(message);
	return result;
}

HC_HOOK ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	hc_libc_need();
	ssize_t result = hc_libc.recvmsg(fd, message, flags);
	if (likely(result >= 0))
		hc_received(message);
	return result;
}

HC_HOOK int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	hc_libc_need();
	hc_ask();
	int result = hc_libc.sendmmsg(fd, messages, count, flags);
	for (int i = 0; i < result; i++)
		hc_sent(&messages[i].msg_hdr);
	return result;
}

HC_HOOK int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	hc_libc_need();
	int result = hc_libc.recvmmsg(fd, messages, count, flags, timeout);
	for (int i = 0; i < result; i++)
		hc_received(&messages[i].msg_hdr);
	return result;
}

#include "handover.h"
#include "probe.h"
#include "process.h"
#include "text.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef HC_BINDIR
#define HC_BINDIR "/usr/local/bin"
#endif

enum {
	PATIENCE = 20000, /* us that a connect may wait for a drain that is busy */
	/* ms without another try after one that failed: where a drain was just ending
	 * there is soon another, and one that is stopped takes a tenth of the time */
	PAUSE = 200,
	STARTS = 3,
	WAITS = 1000, /* of a tenth of a ms each, or as long as others have the processor */
	TURNS = 20,   /* of them the least before patience ends: time alone is no measure then */
	STACK = 16 * 1024,
};

#define START_TIME UINT64_C(100000000) /* ns */

static char beside[256], elsewhere[256];
static char recording[HC_DRAIN_PATH_MAX];

/* When a drain may be tried again: hc_now(). */
static _Atomic uint64_t not_before;

static bool copy_path(char *into, size_t size, const char *from)
{
	size_t length = strlen(from);
	if (length >= size)
		return false;
	memcpy(into, from, length + 1);
	return true;
}

void hc_handover_recording(const char *path)
{
	char here[HC_DRAIN_PATH_MAX];
	size_t length;
	if (*path == '/') {
		copy_path(recording, sizeof recording, path);
		return;
	}
	/* the drain is elsewhere */
	/* cppcheck-suppress uninitvar ; it is the kernel that fills it */
	if (hc_sys(SYS_getcwd, (long)here, sizeof here, 0, 0, 0) <= 0 || *here != '/')
		return;
	length = strlen(here);
	if (length + 1 + strlen(path) >= sizeof recording)
		return;
	memcpy(recording, here, length);
	recording[length] = '/';
	copy_path(recording + length + 1, sizeof recording - length - 1, path);
}

void hc_handover_init(const char *program)
{
	static const char name[] = "halfclose-drain";
	Dl_info self;
	if (program) {
		copy_path(elsewhere, sizeof elsewhere, program);
		return;
	}
	copy_path(elsewhere, sizeof elsewhere, HC_BINDIR "/halfclose-drain");
	if (!dladdr(&not_before, &self) || !self.dli_fname || strlen(self.dli_fname) + sizeof name > sizeof beside)
		return;
	const char *slash = strrchr(self.dli_fname, '/');
	size_t directory = slash ? (size_t)(slash - self.dli_fname) + 1 : 0;
	memcpy(beside, self.dli_fname, directory);
	memcpy(beside + directory, name, sizeof name);
}

static uid_t own_user(void)
{
	return (uid_t)hc_sys(SYS_geteuid, 0, 0, 0, 0, 0);
}

static socklen_t drain_address(struct sockaddr_un *address, unsigned turn)
{
	struct hc_text name = { 0 };
	hc_put(&name, HC_DRAIN_ADDRESS);
	hc_put_number(&name, own_user());
	hc_put(&name, "/");
	hc_put_number(&name, turn);
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path + 1, name.bytes, name.used);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name.used);
}

static int open_socket(void)
{
	return (int)hc_sys(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0);
}

static void drop(int fd)
{
	hc_sys(SYS_close, fd, 0, 0, 0, 0);
}

/* Who listens there may be anybody: abstract names are first come, first served. */
static bool is_our_user(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return !hc_getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == own_user();
}

static int connect_to(const struct sockaddr_un *address, socklen_t size)
{
	const struct timeval patience = { .tv_usec = PATIENCE };
	int fd = open_socket();
	if (fd < 0)
		return -1;
	hc_sys(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (long)&patience, sizeof patience);
	if (!hc_sys(SYS_connect, fd, (long)address, (long)size, 0, 0)) {
		if (is_our_user(fd))
			return fd;
		errno = EPERM;
	}
	int why = errno;
	drop(fd);
	errno = why;
	return -1;
}

/* ---- a drain is started ---- */

struct start {
	const struct sockaddr_un *address;
	socklen_t size;
	int failed; /* errno; written by the child, which has our memory */
	char stacks[2][STACK] __attribute__((aligned(16)));
};

/* Runs in our memory while we wait. Its first call parts with our descriptors; of
 * them the kernel copies the lowest 64, for as long as that call takes: a number
 * that another thread closes just then ends a microsecond later. */
static int be_drain(void *argument)
{
	struct start *start = argument;
	char *const argv[] = { "halfclose-drain", NULL }, *const envp[] = { NULL };

	hc_sys(SYS_setsid, 0, 0, 0, 0, 0);
	/* it listens before it runs: whoever connects meanwhile waits for it */
	if (hc_sys(SYS_close_range, 0, UINT32_MAX, CLOSE_RANGE_UNSHARE, 0, 0) ||
	    hc_sys(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0, 0, 0) != 0 ||
	    hc_sys(SYS_bind, 0, (long)start->address, (long)start->size, 0, 0) ||
	    hc_sys(SYS_listen, 0, HC_DRAIN_BACKLOG, 0, 0, 0)) {
		start->failed = errno;
		return 1;
	}
	if (*beside)
		hc_sys(SYS_execve, (long)beside, (long)argv, (long)envp, 0, 0);
	if (*elsewhere)
		hc_sys(SYS_execve, (long)elsewhere, (long)argv, (long)envp, 0, 0);
	start->failed = errno;
	return 1;
}

/* The one in between: its child becomes init's when it ends. */
static int be_nobodys_parent(void *argument)
{
	struct start *start = argument;
	if (hc_libc.clone(be_drain, start->stacks[1] + STACK, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, start,
	                  NULL, NULL, NULL) < 0)
		start->failed = errno;
	return 0;
}

/* Whoever adopts orphans would find the drain among its children. */
static bool adopts(void)
{
	int is = 0;
	return hc_self.pid == 1 || hc_sys(SYS_prctl, PR_GET_CHILD_SUBREAPER, (long)&is, 0, 0, 0) || is;
}

static bool ancestor_adopts;

void hc_handover_fork(void)
{
	int kept = errno;
	ancestor_adopts = ancestor_adopts || adopts();
	errno = kept;
}

static void spawn(struct start *start)
{
	int child = hc_libc.clone(be_nobodys_parent, start->stacks[0] + STACK, CLONE_VM | CLONE_VFORK | CLONE_FILES,
	                          start, NULL, NULL, NULL);
	if (child < 0)
		start->failed = errno;
	/* with all signals blocked nothing interrupts it, unless a filter says so */
	for (int tries = 0; child > 0 && tries < 10; tries++)
		if (hc_sys(SYS_wait4, child, 0, __WALL, 0, 0) >= 0 || errno != EINTR)
			break;
}

/* Neither child is one that the program's wait() could see. Signals wait: their
 * handlers must not run in a child that has our memory. No socket is shared by it
 * for longer than the child needs to let go of it, so that no doubt is raised. */
static bool start_drain(const struct sockaddr_un *address, socklen_t size)
{
	/* not on the caller's stack, which may be a small one */
	errno = ECHILD;
	if (ancestor_adopts || adopts())
		return false;
	struct start *start =
	    mmap(NULL, sizeof *start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	uint64_t all = UINT64_MAX, mask;
	if (start == MAP_FAILED)
		return false;
	start->address = address;
	start->size = size;
	if (hc_sys(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)&mask, sizeof mask, 0)) {
		start->failed = errno;
	} else {
		spawn(start);
		hc_sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0);
	}
	int failed = start->failed;
	munmap(start, sizeof *start);
	errno = failed;
	return !failed;
}

/* Until when another thread of this process has time to start one. */
static _Atomic uint64_t starting;

enum start_result {
	STARTED,
	ANOTHERS, /* a thread of this process is at it */
	TAKEN,    /* who has the name is about to listen, or listens no more and is about to go */
	NEVER,
};

/* One thread at a time: it takes long beside a connect. */
static enum start_result start_one(const struct sockaddr_un *address, socklen_t size)
{
	uint64_t other = atomic_load(&starting), at = hc_now();
	if (other > at || !atomic_compare_exchange_strong(&starting, &other, at + START_TIME))
		return ANOTHERS;
	bool started = start_drain(address, size);
	atomic_store(&starting, 0);
	return started ? STARTED : errno == EADDRINUSE ? TAKEN : NEVER;
}

/* Patience is for others alone, who may be about to listen or to go: a thread that
 * had to wait for the processor longer than that still tries to start one itself. */
static int connect_or_start(void)
{
	static const struct timespec moment = { .tv_nsec = 100000 };
	struct sockaddr_un address;
	unsigned turn = 0, starts = 0, waits = 0;
	uint64_t until = hc_now() + PATIENCE * UINT64_C(1000);
	for (;;) {
		/* what was not there in time may be there now */
		bool is_late = hc_now() >= until;
		socklen_t size = drain_address(&address, turn);
		int fd = connect_to(&address, size);
		if (fd >= 0)
			return fd;
		if (errno == EPERM && ++turn < HC_DRAIN_NAMES)
			continue;
		if (errno != ECONNREFUSED || starts == STARTS || waits == WAITS)
			return -1;
		switch (start_one(&address, size)) {
		case STARTED:
			starts++;
			until = hc_now() + PATIENCE * UINT64_C(1000);
			continue;
		case ANOTHERS:
			until = hc_now() + PATIENCE * UINT64_C(1000);
			break;
		case TAKEN:
			if (is_late && waits >= TURNS)
				return -1;
			break;
		case NEVER:
			return -1;
		}
		waits++;
		hc_sys(SYS_nanosleep, (long)&moment, 0, 0, 0, 0);
	}
}

static bool send_socket(int connection, int fd, struct hc_drain_message *message)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof fd)];
	} control = { .header = { CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS } };
	message->path_size = (uint32_t)strlen(recording);
	struct iovec parts[] = { { message, sizeof *message }, { recording, message->path_size } };
	const struct msghdr packet = {
		.msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control
	};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	return hc_sys(SYS_sendmsg, connection, (long)&packet, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0) ==
	       (long)(sizeof *message + message->path_size);
}

bool hc_handover(int fd, struct hc_drain_message *message)
{
	int kept = errno;
	bool sent = false;
	if (hc_now() < atomic_load(&not_before))
		return false;
	/* a drain may end between the two; another one takes its place */
	for (int tries = 0; tries < 2 && !sent; tries++) {
		int connection = connect_or_start();
		if (connection < 0)
			break;
		uint64_t own = hc_probe_cookie(connection);
		sent = send_socket(connection, fd, message);
		hc_probe_close_own(connection, own);
	}
	if (!sent)
		atomic_store(&not_before, hc_now() + PAUSE * UINT64_C(1000000));
	errno = kept;
	return sent;
}

/* The connection whose end tells that the exec has happened; open between the
 * two calls alone, and closed by the exec. */
static __thread int until_exec __attribute__((tls_model("initial-exec"))) = -1;

bool hc_handover_at_exec(int fd, struct hc_drain_message *message)
{
	int kept = errno;
	message->flags |= HC_DRAIN_HELD;
	if (until_exec < 0 && hc_now() >= atomic_load(&not_before))
		until_exec = connect_or_start();
	bool sent = until_exec >= 0 && send_socket(until_exec, fd, message);
	errno = kept;
	return sent;
}

void hc_handover_keep(void)
{
	int kept = errno;
	if (until_exec >= 0) {
		hc_sys6(SYS_sendto, until_exec, (long)"", 1, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
		drop(until_exec);
		until_exec = -1;
	}
	errno = kept;
}

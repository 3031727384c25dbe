#include "warn.h"
#include "options.h"
#include "process.h"
#include "stack.h"
#include "text.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { SITES = 1024 };

struct site {
	_Atomic uintptr_t caller;
	_Atomic uint32_t count;
};

static struct site sites[SITES];
static struct stat standard_error;
static bool may_write;

static const char *const how_names[HC_HOWS] = {
#define CALL(returns, name, parameters)
#define END(returns, name, parameters) [HC_HOW_##name] = #name,
#include <halfclose/calls.def>
	[HC_HOW_exec] = "exec",
	[HC_HOW_return] = "return from main",
};

/* An inet socket may be a client's: no word of ours belongs there. */
static bool is_inet_socket(const struct stat *status)
{
	int domain = 0;
	socklen_t size = sizeof domain;
	return S_ISSOCK(status->st_mode) &&
	       (hc_getsockopt(2, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_UNIX);
}

void hc_warn_init(void)
{
	may_write = !fstat(2, &standard_error) && !is_inet_socket(&standard_error);
}

/* The same file as at the start, and one that takes a line without holding the
 * caller up or raising a signal? */
static bool is_writable(size_t size)
{
	struct stat now;
	struct rlimit limit;
	struct pollfd ready = { .fd = 2, .events = POLLOUT };
	struct timespec no_time = { 0 };

	if (!may_write || fstat(2, &now) || now.st_dev != standard_error.st_dev ||
	    now.st_ino != standard_error.st_ino || now.st_rdev != standard_error.st_rdev)
		return false;
	if (S_ISREG(now.st_mode) && !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    (uint64_t)now.st_size + size > limit.rlim_cur)
		return false;
	/* a pipe that is ready takes PIPE_BUF bytes at least; one without a
	 * reader says POLLERR, and a write would raise SIGPIPE */
	return hc_sys(SYS_ppoll, (long)&ready, 1, (long)&no_time, 0, 0) == 1 && ready.revents == POLLOUT;
}

/* Written with these two blocked: a background job on a terminal that says so
 * would be stopped, and a pipe can lose its reader since it was asked. */
static void write_quietly(const char *bytes, size_t size)
{
	uint64_t block = UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGTTOU - 1), before;
	uint64_t pipe = UINT64_C(1) << (SIGPIPE - 1);
	struct timespec no_time = { 0 };
	if (hc_sys(SYS_rt_sigprocmask, SIG_BLOCK, (long)&block, (long)&before, sizeof block, 0))
		return;
	if (hc_sys(SYS_write, 2, (long)bytes, (long)size, 0, 0) < 0 && errno == EPIPE)
		hc_sys(SYS_rt_sigtimedwait, (long)&pipe, 0, (long)&no_time, sizeof pipe, 0);
	hc_sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0);
}

static void write_line(struct hc_text *line)
{
	int kept = errno;
	if (line->used >= sizeof line->bytes - 1)
		line->used = sizeof line->bytes - 2;
	line->bytes[line->used++] = '\n';
	if (!atomic_load(&hc_self.sandboxed) && is_writable(line->used)) {
		if (S_ISSOCK(standard_error.st_mode))
			hc_sys6(SYS_sendto, 2, (long)line->bytes, (long)line->used, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
		else
			write_quietly(line->bytes, line->used);
	}
	errno = kept;
}

static void put_program(struct hc_text *line)
{
	const char *base = strrchr(hc_self.exe, '/');
	hc_put(line, "halfclose: ");
	hc_put(line, base ? base + 1 : hc_self.exe);
	hc_put(line, "[");
	hc_put_number(line, (uint64_t)hc_self.pid);
	hc_put(line, "]: ");
}

void hc_complain(const char *text)
{
	struct hc_text line = { 0 };
	put_program(&line);
	hc_put(&line, text);
	write_line(&line);
}

uint32_t hc_warn_due(const void *caller)
{
	uintptr_t key = (uintptr_t)caller;
	struct site *site = NULL;
	for (unsigned i = 0; i < 16 && !site; i++) {
		struct site *at = &sites[((key >> 2) + i) % SITES];
		uintptr_t is = atomic_load_explicit(&at->caller, memory_order_relaxed);
		if (is == key || (!is && (atomic_compare_exchange_strong(&at->caller, &is, key) || is == key)))
			site = at;
	}
	if (!site)
		return 0; /* a thousand sites have spoken: silence is kinder */
	uint32_t count = atomic_fetch_add(&site->count, 1) + 1;
	if (count <= 3)
		return count;
	for (uint32_t ten = 10; ten <= 1000000000; ten *= 10) {
		if (count == ten)
			return count;
		if (ten == 1000000000)
			break;
	}
	return 0;
}

static void put_what(struct hc_text *line, const struct hc_warning *warning)
{
	const struct hc_facts *facts = warning->facts;
	hc_put(line, how_names[warning->how]);
	hc_put(line, " of descriptor ");
	hc_put_number(line, (uint64_t)warning->fd);
	if (warning->outcome == HC_OUTCOME_backlog) {
		hc_put(line, ", a listener with ");
		hc_put_grouped(line, facts->waiting);
		hc_put(line, " connections waiting: each is reset");
		return;
	}
	if (warning->outcome == HC_OUTCOME_reset_unread) {
		hc_put(line, facts->oob ? " with an out-of-band byte" : " with ");
		if (!facts->oob) {
			hc_put_grouped(line, facts->unread);
			hc_put(line, facts->unread == 1 ? " byte" : " bytes");
		}
		hc_put(line, " unread");
	} else {
		hc_put(line, " with SO_LINGER 0");
	}
	hc_put(line, ": a reset, not a FIN");
	if (facts->counted && facts->unacked) {
		hc_put(line, "; ");
		hc_put_grouped(line, facts->unacked);
		hc_put(line, facts->unacked == 1 ? " byte" : " bytes");
		hc_put(line, " written and not yet acknowledged are thrown away");
	}
}

void hc_warn(const struct hc_warning *warning)
{
	uint32_t count = hc_warn_due(warning->caller);
	if (!count)
		return;
	struct hc_text line = { 0 };
	struct hc_place place = hc_stack_place(warning->caller);

	put_program(&line);
	put_what(&line, warning);
	hc_put(&line, " (");
	hc_put_address(&line, &warning->local);
	if (warning->peer.family) {
		hc_put(&line, " to ");
		hc_put_address(&line, &warning->peer);
	}
	if (warning->caller) {
		hc_put(&line, "; called from ");
		hc_put(&line, place.path ? place.path : "no file,");
		hc_put(&line, place.path ? "+" : " address ");
		hc_put_hex(&line, place.offset);
	}
	if (count > 3) {
		hc_put(&line, "; the ");
		hc_put_grouped(&line, count);
		hc_put(&line, "th from there");
	}
	hc_put(&line, ")");
	write_line(&line);
}

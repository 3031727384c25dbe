#include "stopped.h"

#include <elf.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define PIECE 4096u /* a copy that meets the end of the stack is tried again in pieces */

char thread_state(pid_t pid, pid_t tid)
{
	char *path = g_strdup_printf("/proc/%d/task/%d/stat", (int)pid, (int)tid), *stat = NULL, state = '?';
	const char *name_end;

	if (g_file_get_contents(path, &stat, NULL, NULL) && (name_end = strrchr(stat, ')')) && name_end[1] == ' ' &&
	    name_end[2])
		state = name_end[2];
	g_free(stat);
	g_free(path);
	return state;
}

/* True: it has not had its time yet; it may have stopped since it was looked for. */
static bool may_stop(pid_t pid, pid_t tid, gint64 waited_ms)
{
	char state;

	if (waited_ms < STOP_MS || waited_ms >= STOP_BUSY_MS)
		return waited_ms < STOP_MS;
	state = thread_state(pid, tid);
	return state == 'R' || state == 't';
}

/* False: it did not stop in time, or is gone. */
static bool await_stop(pid_t pid, pid_t tid, int *status)
{
	gint64 begun = g_get_monotonic_time(), waited_ms = 0;

	do {
		pid_t done = waitpid(tid, status, __WALL | WNOHANG);

		if (done == tid)
			return WIFSTOPPED(*status);
		if (done < 0 && errno != EINTR)
			return false;
		g_usleep(waited_ms < STOP_MS ? 100 : 5000);
		waited_ms = (g_get_monotonic_time() - begun) / 1000;
	} while (may_stop(pid, tid, waited_ms));
	errno = ETIMEDOUT;
	return false;
}

static uint64_t stack_pointer(const struct user_regs_struct *registers)
{
#if defined __x86_64__
	return registers->rsp;
#else
	return registers->sp;
#endif
}

static void copy_stack(struct stopped *stopped)
{
	stopped->stack = g_malloc(STOPPED_STACK);
	stopped->size = memory_read(stopped->pid, stopped->sp, stopped->stack, STOPPED_STACK);
	while (stopped->size < STOPPED_STACK) {
		size_t rest = PIECE - (stopped->sp + stopped->size) % PIECE;
		size_t n = memory_read(stopped->pid, stopped->sp + stopped->size, stopped->stack + stopped->size,
		                       MIN(rest, STOPPED_STACK - stopped->size));

		if (!n)
			break;
		stopped->size += n;
	}
}

int stopped_take(struct stopped *stopped, pid_t pid, pid_t tid, stopped_meanwhile *meanwhile, void *data)
{
	struct iovec space = { &stopped->registers, sizeof(stopped->registers) };
	int status = 0, error = 0;
	long signal;

	memset(stopped, 0, sizeof(*stopped));
	stopped->pid = pid;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
		return errno;
	errno = 0;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 || !await_stop(pid, tid, &status))
		return errno ? errno : ESRCH; /* the kernel lets go of it when this process ends */
	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &space) < 0) {
		error = errno;
	} else {
		stopped->sp = stack_pointer(&stopped->registers);
		copy_stack(stopped);
		meanwhile(tid, data);
	}
	/* it may have stopped for a signal that came just then: that goes on to it */
	signal = status >> 16 ? 0 : WSTOPSIG(status);
	ptrace(PTRACE_DETACH, tid, NULL, (void *)signal);
	return error;
}

void stopped_free(struct stopped *stopped)
{
	g_free(stopped->stack);
	stopped->stack = NULL;
}

size_t stopped_read(const struct stopped *stopped, uint64_t address, void *to, size_t size)
{
	if (address >= stopped->sp && address - stopped->sp < stopped->size) {
		size_t n = MIN(size, stopped->size - (size_t)(address - stopped->sp));

		memcpy(to, stopped->stack + (address - stopped->sp), n);
		return n;
	}
	return memory_read(stopped->pid, address, to, size);
}

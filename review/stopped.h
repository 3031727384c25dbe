/* A thread, stopped for as long as it takes to copy its registers and the top of its stack. */
#ifndef REVIEW_STOPPED_H
#define REVIEW_STOPPED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define STOP_MS 500u                 /* in which it must have stopped: one that waits for a disk may not */
#define STOP_BUSY_MS 30000u          /* the same for one that waits for a processor, and is sure to get it */
#define STOPPED_STACK (256u * 1024u) /* bytes of it that are copied */

struct stopped {
	pid_t pid;
	struct user_regs_struct registers;
	uint64_t sp;
	size_t size;          /* of what was copied from sp on */
	unsigned char *stack; /* owned */
};

/* The state of a thread, as /proc/PID/stat has it; '?': it has ended. */
char thread_state(pid_t pid, pid_t tid);

/* Called while it stands still; to be short. */
typedef void stopped_meanwhile(pid_t tid, void *data);

/* Takes the copy; the thread runs on, whatever comes of it: should this process die,
 * the kernel sees to that. 0, or an errno: EPERM: it may not be stopped, ESRCH: it
 * has ended, ETIMEDOUT: it did not stop. */
int stopped_take(struct stopped *stopped, pid_t pid, pid_t tid, stopped_meanwhile *meanwhile, void *data);
void stopped_free(struct stopped *stopped);

/* Its memory as it was then, and that of the rest of the process as it is; how many bytes. */
size_t stopped_read(const struct stopped *stopped, uint64_t address, void *to, size_t size);

#endif

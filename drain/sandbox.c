/* What the loop needs and nothing else: a program's peer speaks to us, unread. */
#include "drain.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static const int allowed[] = {
	SYS_epoll_pwait,   SYS_epoll_ctl,  SYS_accept4,      SYS_recvmsg,         SYS_recvfrom,
	SYS_getsockopt,    SYS_madvise,    SYS_wait4,        SYS_getppid,         SYS_close_range,
	SYS_setsockopt,    SYS_shutdown,   SYS_close,        SYS_openat,          SYS_fstat,
	SYS_pread64,       SYS_pwrite64,   SYS_mmap,         SYS_munmap,          SYS_brk,
	SYS_clock_gettime, SYS_exit,       SYS_rt_sigreturn, SYS_restart_syscall, SYS_futex,
	SYS_epoll_create1, SYS_exit_group, SYS_getdents64,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
};

static void allow(struct sock_filter *filter, unsigned short *n, unsigned number)
{
	filter[(*n)++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
	filter[(*n)++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

/* With this first argument alone. */
static void allow_only(struct sock_filter *filter, unsigned short *n, unsigned number, unsigned argument)
{
	enum { LOW = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4 };
	filter[(*n)++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
	filter[(*n)++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + LOW);
	filter[(*n)++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1);
	filter[(*n)++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[(*n)++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
}

void enter_sandbox(int wake)
{
	enum { CALLS = sizeof allowed / sizeof *allowed };
	struct sock_filter filter[2 * CALLS + 16];
	unsigned short n = 0;
#ifdef ARCHITECTURE
	/* another one's calls have other numbers */
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
#endif
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < CALLS; i++)
		allow(filter, &n, (unsigned)allowed[i]);
	/* a child that is a worker, and no other program or thread */
	allow_only(filter, &n, SYS_clone, CLONE_FILES | SIGCHLD);
	allow_only(filter, &n, SYS_write, (unsigned)wake);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	const struct sock_fprog program = { n, filter };
	/* a kernel without it serves all the same */
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

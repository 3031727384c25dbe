/*
 * A program that shuts itself into a filter which kills it for any system call
 * but the ones it goes on to make. The library has to live with those too.
 *
 *   seccomp HOW WHAT
 *     HOW   prctl, seccomp, raw, listener (a filter whose installation returns
 *           a descriptor), refused (the kernel does not take it)
 *     WHAT  close, fork, dup, connect, exit
 */
#include "net.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ALLOW(SYS_read), ALLOW(SYS_write), ALLOW(SYS_close), ALLOW(SYS_exit_group), ALLOW(SYS_rt_sigreturn),
	ALLOW(SYS_dup), ALLOW(SYS_dup3), ALLOW(SYS_connect), ALLOW(SYS_socket), ALLOW(SYS_shutdown),
	/* what libc's fork and waitpid make */
	ALLOW(SYS_clone), ALLOW(SYS_set_robust_list), ALLOW(SYS_wait4), ALLOW(SYS_rt_sigprocmask),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static int install(const char *how)
{
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	if (!strcmp(how, "prctl"))
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
	if (!strcmp(how, "raw"))
		return (int)syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
	if (!strcmp(how, "listener"))
		return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (!strcmp(how, "refused"))
		return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, ~0u, &program);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* No stdio here: it would ask what standard output is. */
static void tell(const char *text)
{
	ssize_t n = write(1, text, strlen(text));
	(void)n;
}

static void child(int fd)
{
	int status = 0;
	pid_t it = fork();
	if (!it) {
		close(fd);
		_exit(5);
	}
	waitpid(it, &status, 0);
	tell(status == 0x500 ? "the child ended well\n" : "the child was killed\n");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "", *what = argc > 2 ? argv[2] : "";
	char byte;
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at), q = unread(&at);
	int fresh = socket(AF_INET, SOCK_STREAM, 0);

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	tell(install(how) >= 0 ? "a filter\n" : "no filter\n");
	if (!strcmp(what, "fork"))
		child(q.mine);
	if (!strcmp(what, "dup")) {
		int copy = dup(q.mine);
		close(q.mine);
		dup3(p.peer, copy, 0);
		close(copy);
	}
	if (!strcmp(what, "connect")) {
		close(socket(AF_INET, SOCK_STREAM, 0));
		tell(connect(fresh, (void *)&at.address, sizeof at.address) ? "no\n" : "connected\n");
		shutdown(fresh, SHUT_WR);
	}
	close(p.mine);
	tell(read(p.peer, &byte, 1) < 0 && errno == ECONNRESET ? "reset\n" : "not reset\n");
	close(p.peer);
	for (int i = 0; i < 20000 && !strcmp(what, "exit"); i++)
		close(dup(q.mine)); /* more than was stocked up before */
	tell("done\n");
	_exit(0);
}

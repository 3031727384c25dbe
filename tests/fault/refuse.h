/*
 * A seccomp filter that is there before the host starts, as a container's is. It
 * refuses some system calls with an error, to the library and to the host alike.
 *
 *   ERROR CALL[:ARGUMENT[&MASK]=VALUE] …     EPERM getsockopt socket:0=16
 */
#ifndef REFUSE_H
#define REFUSE_H

#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const struct refusable {
	const char *name;
	unsigned number;
} refusables[] = {
#define OWN(name) { #name, SYS_##name },
#define LIBC(returns, name, parameters, arguments, failed)
#define LIBC_ERROR(name, parameters, arguments)
#include "calls.def"
	/* what libc's functions of the same table come to */
	{ "clock_gettime", SYS_clock_gettime }, { "fallocate", SYS_fallocate }, { "flock", SYS_flock },
	{ "fstat", SYS_fstat }, { "ftruncate", SYS_ftruncate }, { "prlimit64", SYS_prlimit64 },
	{ "mmap", SYS_mmap }, { "munmap", SYS_munmap }, { "openat", SYS_openat }, { "pread64", SYS_pread64 },
	{ "pwrite64", SYS_pwrite64 }, { "readlink", SYS_readlink }, { "uname", SYS_uname },
	{ "clock_nanosleep", SYS_clock_nanosleep }, { "clone", SYS_clone },
	/* what halfclose-drain makes */
	{ "accept4", SYS_accept4 }, { "recvmsg", SYS_recvmsg }, { "epoll_pwait", SYS_epoll_pwait },
	{ "epoll_create1", SYS_epoll_create1 },
};

static inline unsigned refusable_number(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof refusables / sizeof *refusables; i++)
		if (strlen(refusables[i].name) == length && !strncmp(refusables[i].name, name, length))
			return refusables[i].number;
	errx(2, "the library makes no call %.*s", (int)length, name);
}

/* In the child, before its exec. Error 0: whoever makes the call is killed. */
static inline void refuse(const char *rule, int error)
{
	struct sock_filter filter[400];
	unsigned short n = 0;
	char *end;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (const char *at = rule + strcspn(rule, " "); *at && n < 390;) {
		at++;
		size_t length = strcspn(at, ": ");
		unsigned number = refusable_number(at, length), argument, mask = ~0u, value;
		bool by_argument = at[length] == ':';
		at += length + by_argument;
		if (by_argument) {
			argument = (unsigned)strtoul(at, &end, 0);
			if (*end == '&')
				mask = (unsigned)strtoul(end + 1, &end, 0);
			value = (unsigned)strtoul(end + 1, &end, 0);
			at = end;
		}
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, by_argument ? 5 : 1);
		if (by_argument) {
			filter[n++] = (struct sock_filter)BPF_STMT(
			    BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, args) + 8 * argument);
			filter[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask);
			filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
		}
		filter[n++] = (struct sock_filter)BPF_STMT(
		    BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | (unsigned)error : SECCOMP_RET_KILL_PROCESS);
		if (by_argument)
			filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { n, filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		err(2, "seccomp");
}

#endif

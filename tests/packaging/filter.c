/*
 * filter [-e|-u] FILE PROGRAM [ARGUMENT...]: runs a program as systemd's
 * SystemCallFilter= does, with the calls that FILE names, a line for each. What is
 * not there kills the program; with -e it gets EPERM. Those that this machine does
 * not know are none. With -u there are no unix sockets, as RestrictAddressFamilies=
 * without AF_UNIX has it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	int number;
} calls[] = {
#include "calls.inc"
};

static int number_of(const char *name)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	return -1;
}

int main(int argc, char **argv)
{
	static struct sock_filter filter[2000];
	unsigned short n = 0;
	char name[100];
	int refuse = argc > 1 && !strcmp(argv[1], "-e"), no_unix = argc > 1 && !strcmp(argv[1], "-u"), number;
	char **words = argv + 1 + (refuse || no_unix);
	FILE *file = argc > words - argv + 1 ? fopen(*words, "r") : NULL;

	if (!file) {
		fputs("usage: filter [-e|-u] FILE PROGRAM...\n", stderr);
		return 2;
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	if (no_unix) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4);
		filter[n++] =
		    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	}
	while (n < 1900 && fscanf(file, "%99s", name) == 1)
		if ((number = number_of(name)) >= 0) {
			filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
			filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		}
	fclose(file);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	                                           refuse ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS);
	const struct sock_fprog program = { n, filter };
	if (n < 100 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0)) {
		perror("filter");
		return 2;
	}
	execvp(words[1], words + 1);
	perror(words[1]);
	return 127;
}

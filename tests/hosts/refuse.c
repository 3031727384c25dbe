/*
 * A filter that was there before the program refuses some system calls, as a
 * container's does, or says what the kernel says on a bad day. The library asks
 * by the same calls: what it can't know must not change what the program gets.
 *
 *   refuse ERROR NUMBER…    the numbers of the error and of the system calls;
 *                           then itself again, without arguments:
 *   refuse                  tries everything, and says what comes of it
 */
#include "net.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>

static void shut_in(int error, int n, char **numbers)
{
	static struct sock_filter filter[64] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	unsigned short used = 1;
	for (int i = 0; i < n && i < 30; i++) {
		filter[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(numbers[i]), 0, 1);
		filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
	}
	filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { used, filter };
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "filter");
}

#define TRY(call) do { \
		errno = 77; \
		long result_ = (long)(call); \
		say("%s = %ld %s\n", #call, result_, errno == 77 ? "" : strerrorname_np(errno)); \
	} while (0)

/* Nothing here may wait for what was refused. */
static void once(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof name;
	struct linger linger = { 1, 0 };
	struct msghdr nothing = { 0 };
	char *const argv[] = { (char[]){ "true" }, NULL };
	int listener, one, two = -1, copy, pair[2] = { -1, -1 };
	pid_t child = -1;
	FILE *stream;

	TRY(listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	bind(listener, (void *)&name, size);
	TRY(listen(listener, 5));
	getsockname(listener, (void *)&name, &size);
	TRY(one = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	TRY(connect(one, (void *)&name, sizeof name) && errno == EINPROGRESS ? (errno = 77, 0) : errno == 77 ? 0 : -1);
	TRY(send(one, "?", 1, MSG_NOSIGNAL));
	TRY(two = accept(listener, NULL, NULL));
	TRY(setsockopt(two, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int)));
	TRY(copy = dup(two));
	TRY(close(copy));
	TRY(copy = fcntl(two, F_DUPFD_CLOEXEC, 0));
	TRY(dup2(copy, 200));
	TRY(dup3(copy, 201, 0));
	TRY(close(200));
	TRY(close_range(201, 201, 0));
	TRY(close(copy));
	TRY(shutdown(two, SHUT_RD));
	TRY(sendmsg(two, &nothing, MSG_NOSIGNAL));
	TRY(recvmsg(one, &nothing, MSG_DONTWAIT));
	errno = 77;
	child = fork();
	if (!child)
		_exit(close(two) ? 3 : 4);
	if (child > 0)
		say("fork, %d, and %x\n", errno, (unsigned)ended(child));
	else
		say("fork = %d %s\n", child, strerrorname_np(errno));
	TRY(posix_spawn(&child, "/bin/true", NULL, NULL, argv, NULL) || (ended(child), 0));
	TRY(close(two));
	TRY(two = accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	TRY(setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	TRY(close(one));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY((stream = fdopen(pair[0], "r")) ? fclose(stream) : -2);
	TRY(close(pair[1]));
	TRY(execl("/nonexistent", "x", NULL));
	TRY(close(listener));
}

int main(int argc, char **argv)
{
	alarm(150);
	if (argc > 2) {
		shut_in(atoi(argv[1]), argc - 2, argv + 2);
		execl("/proc/self/exe", "refuse", NULL);
		err(2, "exec");
	}
	for (int i = 0; i < 3; i++)
		once();
	return 0;
}

/*
 * A program that shuts itself in twice: with a filter that lets all pass, so that
 * a tracer may see what system calls it makes from then on, and with one that
 * kills it for any other. The library has to live with the latter.
 *
 *   sandbox         the first
 *   sandbox LIST    the second; LIST: the numbers of system calls
 */
#include "net.h"

#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

static struct sock_filter filter[2 * 128 + 2] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
};

static unsigned short read_filter(const char *list)
{
	unsigned short n = 1;
	unsigned number;
	FILE *file = fopen(list, "r");
	must(file, list);
	while (n < 2 * 128 && fscanf(file, "%u", &number) == 1) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	fclose(file);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	return n;
}

static void shut_in(const char *list)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &all };
	if (list)
		program = (struct sock_fprog){ read_filter(list), filter };
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "filter");
}

static struct meeting at;
static struct pair ready[16];
static int next;

/* Some were there before, the rest are opened in the sandbox. */
static struct pair one(void)
{
	return next < 16 ? ready[next++] : unread(&at);
}

static void pass_rights(int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = { 0 };
	char byte = 'x';
	int way[2], got;
	struct iovec text = { &byte, 1 };
	struct msghdr m = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, way), "socketpair");
	struct cmsghdr *part = CMSG_FIRSTHDR(&m);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(part), &fd, sizeof fd);
	say("%zd ", sendmsg(way[0], &m, 0));
	say("%zd ", recvmsg(way[1], &m, 0));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
	close(fd);
	say("%d\n", close(got));
	close(way[0]), close(way[1]);
}

static void told(const char *what, long result, int peer)
{
	say("%s %ld %s\n", what, result, other_end(peer));
}

static void end_each_way(void)
{
	struct linger linger = { 1, 0 };
	struct pair p = one();
	int null = open("/dev/null", O_RDWR), copy;
	FILE *stream;

	told("close", close(p.mine), p.peer);
	p = one();
	say("dup2 %d\n", dup2(null, p.mine) == p.mine);
	say("%s\n", other_end(p.peer));
	say("dup3 %d\n", dup3(null, p.mine, O_CLOEXEC) == p.mine);
	close(p.mine);
	p = one();
	stream = fdopen(p.mine, "r");
	told("fclose", fclose(stream), p.peer);
	p = one();
	stream = freopen("/dev/null", "r", fdopen(p.mine, "r"));
	told("freopen", stream != NULL, p.peer);
	p = one();
	told("close_range", close_range((unsigned)p.mine, (unsigned)p.mine, 0), p.peer);
	p = one();
	told("syscall", syscall(SYS_close, p.mine), p.peer);
	p = one();
	copy = fcntl(p.mine, F_DUPFD_CLOEXEC, 900);
	close(p.mine);
	closefrom(900);
	told("closefrom", copy, p.peer);
	p = one();
	say("linger %d ", setsockopt(p.mine, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	say("%d\n", shutdown(p.mine, SHUT_RD));
	told("close", close(p.mine), p.peer);
	p = one();
	pass_rights(p.mine);
	say("%s\n", other_end(p.peer));
	close(null);
}

static void *in_thread(void *unused)
{
	end_each_way();
	return unused;
}

static void on_signal(int number)
{
	struct pair p = one();
	(void)number;
	told("handler", close(p.mine), p.peer);
}

static void child(pid_t (*make)(void))
{
	struct pair p = one();
	pid_t it = make();
	if (!it) {
		say("child %d\n", close(p.mine));
		end_each_way();
		_exit(5);
	}
	say("%x\n", (unsigned)ended(it));
	told("close", close(p.mine), p.peer);
}

int main(int argc, char **argv)
{
	static unsigned futex;
	pthread_t thread;
	at = meeting(20, SOCK_CLOEXEC);
	for (int i = 0; i < 16; i++)
		ready[i] = unread(&at);
	shut_in(argc > 1 ? argv[1] : NULL);
	/* the call that pthread_join makes only where it comes before the thread's end */
	syscall(SYS_futex, &futex, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0);
	end_each_way();
	end_each_way();
	must(!pthread_create(&thread, NULL, in_thread, NULL) && !pthread_join(thread, NULL), "pthread_create");
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	child(fork);
	child(_Fork);
	pid_t fast = vfork();
	if (!fast) {
		close(at.listener);
		_exit(6);
	}
	say("%x\n", (unsigned)ended(fast));
	say("exec %d\n", execl("/nonexistent", "x", NULL));
	/* more than was stocked up before; in a tracer's hands it would take long */
	int kept = dup(at.listener);
	for (int i = 0; i < (argc > 1 ? 20000 : 1); i++)
		close(dup(kept));
	return 4; /* by all of exit's work */
}

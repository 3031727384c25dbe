/*
 * A bit of everything that the library follows, always the same way round. Each
 * call's result and errno are said; bare and preloaded, whatever is refused to
 * the library, it must say the same.
 *
 *   host PORT [WHAT…]     PORT and the two above it are used; without WHAT all
 *                         of it, else the parts of these names
 *
 * It asks the kernel for nothing that the library asks, so that both can be
 * refused it (refuse.c).
 */
#include "../hosts/net.h"

#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/un.h>

static struct sockaddr_in here = { .sin_family = AF_INET };
static int listener;
static const char *self, *port;

#define TRY(call) do { \
		errno = 77; \
		long result_ = (long)(call); \
		say("  %s = %ld %s\n", #call, result_, errno == 77 ? "" : strerrorname_np(errno)); \
	} while (0)

static struct pair met(void)
{
	struct meeting at = { .address = here, .listener = listener };
	return meet(&at);
}

static struct pair with_input(void)
{
	struct meeting at = { .address = here, .listener = listener };
	return unread(&at);
}

static void say_end(int peer)
{
	say("  the other end: %s\n", other_end(peer));
}

static void plain(void)
{
	struct pair p = met();
	TRY(shutdown(p.mine, SHUT_WR));
	TRY(close(p.mine));
	say_end(p.peer);
	p = with_input();
	TRY(close(p.mine));
	say_end(p.peer);
	p = with_input();
	TRY(syscall(SYS_close, p.mine));
	say_end(p.peer);
}

static void linger(void)
{
	struct linger now = { 1, 0 };
	struct pair p = met();
	TRY(setsockopt(p.mine, SOL_SOCKET, SO_LINGER, &now, sizeof now));
	TRY(close(p.mine));
	say_end(p.peer);
}

/* What is closed has been reset before: nothing goes out. */
static void reset_before(void)
{
	struct linger now = { 1, 0 };
	struct pair p = with_input();
	TRY(setsockopt(p.peer, SOL_SOCKET, SO_LINGER, &now, sizeof now));
	TRY(close(p.peer));
	await(p.mine, POLLHUP);
	TRY(close(p.mine));
}

static void copies(void)
{
	struct pair p = with_input(), q = with_input(), r = with_input();
	int copy;
	TRY(copy = dup(p.mine));
	TRY(close(p.mine));
	TRY(close(copy));
	say_end(p.peer);
	TRY(dup2(q.peer, q.mine));
	TRY(close(q.mine));
	say_end(q.peer);
	TRY(dup3(r.peer, r.mine, O_CLOEXEC));
	TRY(close(r.mine));
	say_end(r.peer);
	p = with_input();
	TRY(copy = fcntl(p.mine, F_DUPFD_CLOEXEC, 50));
	TRY(close(copy));
	TRY(close(p.mine));
	say_end(p.peer);
}

static void forks(void)
{
	struct pair p = with_input(), q = with_input();
	pid_t child = fork();
	if (!child) {
		TRY(close(p.mine));
		_exit(5);
	}
	say("  child: %x\n", (unsigned)ended(child));
	TRY(close(p.mine));
	say_end(p.peer);
	child = fork();
	if (!child) {
		await(listener, POLLIN);
		_exit(6);
	}
	TRY(close(q.mine));
	/* wakes the child, which holds the last descriptor */
	int waker = socket(AF_INET, SOCK_STREAM, 0);
	TRY(connect(waker, (void *)&here, sizeof here));
	say("  child: %x\n", (unsigned)ended(child));
	say_end(q.peer);
	TRY(close(accept(listener, NULL, NULL)));
	TRY(close(waker));
}

static void spawns(void)
{
	char *argv[] = { "true", NULL };
	struct pair p = with_input();
	pid_t child;
	TRY(posix_spawn(&child, "/bin/true", NULL, NULL, argv, environ));
	say("  child: %x\n", (unsigned)ended(child));
	TRY(close(p.mine));
	say_end(p.peer);
	TRY(execve("/nonexistent", argv, environ));
}

static void passes(void)
{
	int pipes[2];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec byte = { "x", 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control,
		                  .msg_controllen = sizeof control };
	struct pair p = with_input();
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pipes));
	memcpy(CMSG_DATA(&control.header), &p.mine, sizeof p.mine);
	TRY(sendmsg(pipes[0], &message, 0));
	TRY(close(p.mine));
	char got;
	byte = (struct iovec){ &got, 1 };
	TRY(recvmsg(pipes[1], &message, 0));
	memcpy(&p.mine, CMSG_DATA(&control.header), sizeof p.mine);
	TRY(close(p.mine));
	say_end(p.peer);
	TRY(close(pipes[0]));
	TRY(close(pipes[1]));
}

static void streams(void)
{
	struct pair p = with_input();
	FILE *stream = fdopen(p.mine, "r+");
	TRY(fclose(stream));
	say_end(p.peer);
	p = with_input();
	stream = fdopen(p.mine, "r");
	TRY(freopen("/dev/null", "r", stream) == stream);
	say_end(p.peer);
	TRY(fclose(stream));
}

static void ranges(void)
{
	struct pair p = with_input(), q = with_input();
	int peers[2] = { fcntl(p.peer, F_DUPFD, 40), fcntl(q.peer, F_DUPFD, 40) };
	TRY(close_range((unsigned)p.peer, (unsigned)q.mine, 0));
	say_end(peers[0]);
	say_end(peers[1]);
	TRY(close_range(5, 4, 0));
	TRY(close_range(50, 60, 1 << 20));
}

static void backlog(void)
{
	struct sockaddr_in there = here;
	int second = socket(AF_INET, SOCK_STREAM, 0), clients[2];
	there.sin_port = htons((uint16_t)(ntohs(here.sin_port) + 1));
	TRY(bind(second, (void *)&there, sizeof there));
	TRY(listen(second, 5));
	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		TRY(connect(clients[i], (void *)&there, sizeof there));
	}
	TRY(close(second));
	say_end(clients[0]);
	say_end(clients[1]);
}

/* Nothing unread: the kernel has no counter for what such a close resets. */
static void unix_sockets(void)
{
	struct sockaddr_un name = { AF_UNIX, "\0halfclose-fault" };
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 16;
	int pipes[2], second = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;
	TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pipes));
	must(write(pipes[0], "x", 1) == 1 && read(pipes[1], &byte, 1) == 1, "a byte");
	TRY(close(pipes[1]));
	TRY(close(pipes[0]));
	TRY(bind(second, (void *)&name, size));
	TRY(listen(second, 5));
	TRY(connect(client, (void *)&name, size));
	TRY(close(second));
	say_end(client);
}

static void failures(void)
{
	struct sockaddr_in nobody = here;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	nobody.sin_port = htons((uint16_t)(ntohs(here.sin_port) + 2));
	TRY(connect(fd, (void *)&nobody, sizeof nobody));
	TRY(connect(fd, NULL, 1));
	TRY(close(fd));
	TRY(close(fd));
	TRY(close(-1));
	TRY(accept(fd, NULL, NULL));
	TRY(shutdown(listener, 9));
	TRY(dup2(fd, 30));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	TRY(connect(fd, (void *)&here, sizeof here));
	await(fd, POLLOUT);
	TRY(close(fd));
	TRY(close(accept(listener, NULL, NULL)));
	TRY(socket(AF_INET, SOCK_STREAM, 99));
}

static void run_second(int fd)
{
	char number[16];
	snprintf(number, sizeof number, "%d", fd);
	execl("/proc/self/exe", self, port, "second", number, NULL);
	_exit(99);
}

static void executes(void)
{
	struct pair p = with_input();
	int turn[2];
	char byte;
	must(!pipe2(turn, O_CLOEXEC), "pipe");
	pid_t child = fork();
	if (!child) {
		must(read(turn[0], &byte, 1) == 1, "read");
		TRY(close(p.peer));
		run_second(p.mine);
	}
	TRY(close(p.mine));
	must(write(turn[1], "x", 1) == 1, "write");
	close(turn[0]), close(turn[1]);
	say("  child: %x\n", (unsigned)ended(child));
	say_end(p.peer);
}

static const struct part {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "plain", plain }, { "linger", linger }, { "reset", reset_before }, { "copies", copies }, { "forks", forks },
	{ "spawns", spawns }, { "passes", passes }, { "streams", streams }, { "ranges", ranges },
	{ "backlog", backlog }, { "unix", unix_sockets }, { "failures", failures }, { "executes", executes },
};
enum { PARTS = sizeof parts / sizeof *parts };

/* Once more at the end: what the program has, and what became of its memory. */
static void take_stock(void)
{
	char space[4096];
	uint64_t blocked = 0;
	unsigned lines = 0;
	say("descriptors:");
	for (int fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			say(" %d", fd);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof blocked);
	say("\nblocked signals: %lx\n", (unsigned long)blocked);
	int maps = open("/proc/self/maps", O_RDONLY);
	for (ssize_t n; (n = read(maps, space, sizeof space)) > 0;)
		for (char *c = space; c < space + n; c++)
			lines += *c == '\n';
	close(maps);
	/* not of the comparison: it has the library's own */
	dprintf(2, "== %u maps\n", lines);
}

int main(int argc, char **argv)
{
	alarm(30);
	self = argv[0];
	port = argc > 1 ? argv[1] : "7001";
	here.sin_port = htons((uint16_t)atoi(port));
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (argc == 4 && !strcmp(argv[2], "second")) {
		TRY(close(atoi(argv[3])));
		take_stock();
		return 7;
	}
	int one = 1;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) &&
	     !bind(listener, (void *)&here, sizeof here) && !listen(listener, 5), "listen");
	for (int i = 0; i < PARTS; i++) {
		bool wanted = argc <= 2;
		for (int j = 2; j < argc; j++)
			wanted = wanted || !strcmp(argv[j], parts[i].name);
		if (!wanted)
			continue;
		say("%s:\n", parts[i].name);
		parts[i].run();
	}
	take_stock();
	with_input();
	exit(3);
}

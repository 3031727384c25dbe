/*
 * Speaks to the drain as no library would.
 *
 *   attack garbage         messages that are none; then one that is, to show that
 *                          the drain still serves
 *   attack offer           as another user, a socket
 *   attack squat N…        sits on the drain's names, of user 0, until standard
 *                          input ends; says what came
 *   attack deaf            a drain of ours that takes a connection and ends
 *   attack imposter HOW    of the drain's user and under its name, or that of another
 *                          version (other): silent, garbage, short, late; until
 *                          standard input ends
 *   attack keep            hands over a socket that ends, and keeps its own copy until
 *                          standard input ends
 *   attack hold            hands over a socket as before an exec, which happens
 *                          when standard input ends
 */
#include "net.h"

#include <halfclose/drain.h>
#include <stddef.h>
#include <sys/un.h>
#include <time.h>

static socklen_t name(struct sockaddr_un *address, unsigned turn)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	int n = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, HC_DRAIN_ADDRESS "0/%u", turn);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int reach(void)
{
	struct sockaddr_un address;
	socklen_t size = name(&address, 0);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	must(fd >= 0 && !connect(fd, (void *)&address, size), "the drain");
	return fd;
}

static struct hc_drain_message message(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct hc_drain_message){ .quiet = 5000000000, .time = 5000000000, .bytes = 1 << 20,
					  .since = (uint64_t)t.tv_sec * 1000000000u, .unacked = UINT64_MAX };
}

/* With so many descriptors. */
static void tell(int to, const void *bytes, size_t size, const int *fds, size_t n)
{
	char space[CMSG_SPACE(250 * sizeof *fds)] __attribute__((aligned(8)));
	struct iovec part = { (void *)(uintptr_t)bytes, size };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	if (n) {
		packet.msg_control = space;
		packet.msg_controllen = CMSG_SPACE(n * sizeof *fds);
		*CMSG_FIRSTHDR(&packet) = (struct cmsghdr){ CMSG_LEN(n * sizeof *fds), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&packet)), fds, n * sizeof *fds);
	}
	sendmsg(to, &packet, MSG_NOSIGNAL);
}

/* The drain has let go of the connection. */
static void await_end(int fd)
{
	char byte;
	await(fd, POLLIN);
	must(recv(fd, &byte, 1, 0) <= 0, "an answer");
	close(fd);
}

/* One that is served: what the peer still sends is read, and so is its end. */
static void serve_one(const struct meeting *at, const int *more, size_t n)
{
	struct hc_drain_message text = message();
	struct pair p = unread(at);
	int drain = reach(), fds[250] = { p.mine };
	for (size_t i = 0; i < n; i++)
		fds[i + 1] = more[i];
	shutdown(p.mine, SHUT_WR);
	tell(drain, &text, sizeof text, fds, n + 1);
	close(p.mine);
	must(send(p.peer, "more", 4, MSG_NOSIGNAL) == 4, "send");
	say("served: %s\n", other_end(p.peer));
	await_end(drain);
}

static void garbage(void)
{
	struct meeting at = meeting(5, 0);
	struct hc_drain_message text = message(), odd = text;
	struct pair p = unread(&at);
	int pipes[2], unix_ones[2], idle = socket(AF_INET, SOCK_STREAM, 0), many[249];
	char bytes[4096] = "";
	must(!pipe(pipes) && !socketpair(AF_UNIX, SOCK_STREAM, 0, unix_ones), "pipe");
	const struct {
		const char *what;
		const void *bytes;
		size_t size;
		int fd;
	} messages[] = {
		{ "nothing", bytes, 0, -1 },
		{ "a byte", bytes, 1, -1 },
		{ "a byte and a socket", bytes, 1, p.mine },
		{ "no socket", &text, sizeof text, -1 },
		{ "too short", &text, sizeof text - 1, p.mine },
		{ "too long", bytes, sizeof bytes, p.mine },
		{ "a path that is not there", &odd, sizeof odd, p.mine },
		{ "a pipe", &text, sizeof text, pipes[0] },
		{ "a unix socket", &text, sizeof text, unix_ones[0] },
		{ "a listener", &text, sizeof text, at.listener },
		{ "a socket that is not connected", &text, sizeof text, idle },
	};
	odd.path_size = UINT32_MAX;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		int drain = reach();
		tell(drain, messages[i].bytes, messages[i].size, &messages[i].fd, messages[i].fd >= 0);
		shutdown(drain, SHUT_WR);
		await_end(drain);
		say("%s\n", messages[i].what);
	}
	/* all of it nonsense */
	for (int byte = 1; byte < 256; byte += 127) {
		int drain = reach();
		memset(&odd, byte, sizeof odd);
		odd.path_size = 0;
		tell(drain, &odd, sizeof odd, &p.mine, 1);
		shutdown(drain, SHUT_WR);
		await_end(drain);
	}
	/* a listener must not be shut down, nor held and then */
	odd = text;
	odd.flags = HC_DRAIN_HELD;
	int drain = reach();
	tell(drain, &odd, sizeof odd, &at.listener, 1);
	shutdown(drain, SHUT_WR);
	await_end(drain);
	serve_one(&at, NULL, 0);
	for (int i = 0; i < 249; i++)
		many[i] = pipes[0];
	serve_one(&at, many, 3);
	serve_one(&at, many, 249);
	for (int i = 0; i < 200; i++)
		reach(); /* and never a word */
	serve_one(&at, NULL, 0);
}

static void offer(void)
{
	struct meeting at = meeting(5, 0);
	struct hc_drain_message text = message();
	struct pair p = unread(&at);
	int drain = reach();
	tell(drain, &text, sizeof text, &p.mine, 1);
	close(p.mine);
	await_end(drain);
	/* closed at once, and not read before */
	say("%s\n", other_end(p.peer));
}

static void squat(char **turns)
{
	int fds[16], n = 0, came = 0, with_socket = 0;
	struct sockaddr_un address;
	for (; *turns; n++, turns++) {
		socklen_t size = name(&address, (unsigned)atoi(*turns));
		fds[n] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		must(fds[n] >= 0 && !bind(fds[n], (void *)&address, size) && !listen(fds[n], 100), "squat");
		fcntl(fds[n], F_SETFL, O_NONBLOCK);
	}
	char byte;
	say("ready\n");
	must(!read(0, &byte, 1), "standard input");
	for (int i = 0; i < n; i++)
		for (int fd; (fd = accept(fds[i], NULL, NULL)) >= 0; came++) {
			char space[CMSG_SPACE(sizeof fd)] __attribute__((aligned(8))), bytes[2048];
			struct iovec part = { bytes, sizeof bytes };
			struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
			if (recvmsg(fd, &packet, MSG_DONTWAIT) > 0 || packet.msg_controllen)
				with_socket++;
		}
	say("connections: %s, with a message: %d\n", came ? "some" : "none", with_socket);
}

static void deaf(void)
{
	struct sockaddr_un address;
	socklen_t size = name(&address, 0);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	must(fd >= 0 && !bind(fd, (void *)&address, size) && !listen(fd, 0), "listen");
	say("ready\n");
	await(fd, POLLIN);
}

static void imposter(const char *how)
{
	bool other = !strcmp(how, "other"), silent = !strcmp(how, "silent");
	struct sockaddr_un address;
	socklen_t size = name(&address, 0);
	char bytes[2048];
	int came = 0, fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (other)
		strchr(address.sun_path + 1, '/')[-1]--;
	must(fd >= 0 && !bind(fd, (void *)&address, size) && !listen(fd, 100), "listen");
	say("ready\n");
	struct pollfd waits[2] = { { .fd = 0, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	/* whoever came before the end has come */
	while (poll(waits, 2, -1) > 0 && (waits[1].revents || !waits[0].revents)) {
		if (silent) {
			came = 1;
			waits[1].fd = -1;
			continue;
		}
		if (!strcmp(how, "late"))
			usleep(300000);
		int connection = accept(fd, NULL, NULL);
		came++;
		/* what came with it is gone */
		ssize_t n = recv(connection, bytes, !strcmp(how, "short") ? 1 : sizeof bytes, 0);
		if (n > 0 && !strcmp(how, "garbage"))
			send(connection, bytes, (size_t)n, MSG_NOSIGNAL);
		else
			close(connection);
	}
	say("came: %d\n", came);
}

static void keep(void)
{
	struct meeting at = meeting(5, 0);
	struct hc_drain_message text = message();
	struct pair p = unread(&at);
	int drain = reach();
	char byte;
	tell(drain, &text, sizeof text, &p.mine, 1);
	await_end(drain);
	close(p.peer);
	say("ready\n");
	must(!read(0, &byte, 1), "standard input");
}

static void hold(void)
{
	struct meeting at = meeting(5, 0);
	struct hc_drain_message text = message();
	struct pair p = unread(&at);
	int drain = reach();
	char byte;
	text.flags = HC_DRAIN_HELD;
	tell(drain, &text, sizeof text, &p.mine, 1);
	say("ready\n");
	must(!read(0, &byte, 1), "standard input");
	close(p.mine);
	must(send(p.peer, "more", 4, MSG_NOSIGNAL) == 4 && recv(p.peer, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
	     "the drain has it still");
	close(drain);
	say("held: %s\n", other_end(p.peer));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	alarm(100);
	if (!strcmp(mode, "garbage"))
		garbage();
	else if (!strcmp(mode, "offer"))
		offer();
	else if (!strcmp(mode, "squat"))
		squat(argv + 2);
	else if (!strcmp(mode, "deaf"))
		deaf();
	else if (!strcmp(mode, "imposter") && argc > 2)
		imposter(argv[2]);
	else if (!strcmp(mode, "keep"))
		keep();
	else if (!strcmp(mode, "hold"))
		hold();
	else
		return 2;
	return 0;
}

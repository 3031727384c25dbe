/*
 * Holds connections in several states, each opened by a function of its own. Each
 * line on standard input is answered by what the kernel tells it of them: lines of
 * `fd state unread unacked cookie`, and a dot.
 *
 *   holder [traced]   traced: by its parent, so that nobody else can
 */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))

static char data[1 << 20];

static int sure(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static bool has_ipv6(void)
{
	char line[100];
	bool found = false;
	FILE *addresses = fopen("/proc/net/if_inet6", "r");

	while (addresses && fgets(line, sizeof line, addresses))
		found = found || !strncmp(line, "00000000000000000000000000000001 ", 33);
	if (addresses)
		fclose(addresses);
	return found;
}

static int listen_on(int family)
{
	struct sockaddr_in six_less = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = sure(socket(family, SOCK_STREAM, 0), "socket");
	if (family == AF_INET)
		sure(bind(fd, (void *)&six_less, sizeof six_less), "bind");
	else
		sure(bind(fd, (void *)&six, sizeof six), "bind");
	sure(listen(fd, 7), "listen");
	return fd;
}

APART static int open_to(int listener)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	sure(getsockname(listener, (void *)&name, &size), "getsockname");
	int fd = sure(socket(name.ss_family, SOCK_STREAM, 0), "socket");
	sure(connect(fd, (void *)&name, size), "connect");
	asm volatile("" ::: "memory");
	return fd;
}

APART static int take_from(int listener)
{
	int fd = sure(accept(listener, NULL, NULL), "accept");
	asm volatile("" ::: "memory");
	return fd;
}

/* Sends a descriptor to itself. */
APART static int receive_one(int fd)
{
	int pair[2];
	char byte = 'x', space[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec bytes = { &byte, 1 };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	sure(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	sure((int)sendmsg(pair[0], &message, 0), "sendmsg");
	close(fd);
	sure((int)recvmsg(pair[1], &message, 0), "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	close(pair[0]);
	close(pair[1]);
	asm volatile("" ::: "memory");
	return fd;
}

static void await(int fd, short events)
{
	struct pollfd one = { fd, events, 0 };
	sure(poll(&one, 1, 60000), "poll");
}

static void await_state(int fd, int state)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof info;
	for (int i = 0; i < 60000 && info.tcpi_state != state; i++) {
		poll(NULL, 0, 1);
		sure(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
	}
}

/* Each way leaves the descriptors open that it is about. */
static void hold(int family)
{
	int listener = listen_on(family), ours, theirs;
	char byte;

	theirs = open_to(listener); /* ended by the peer, ten bytes and the end of file unread */
	ours = take_from(listener);
	sure((int)send(theirs, data, 10, 0), "send");
	close(theirs);
	await(ours, POLLRDHUP);

	theirs = open_to(listener); /* ended by the peer, and read to the end */
	ours = take_from(listener);
	close(theirs);
	await(ours, POLLRDHUP);
	sure((int)read(ours, &byte, 1), "read");

	theirs = open_to(listener); /* both ends open, more on its way than there is room for */
	ours = take_from(listener);
	while (send(theirs, data, sizeof data, MSG_DONTWAIT) > 0)
		;
	sure(dup(ours), "dup");

	theirs = open_to(listener); /* half-closed by us: FIN-WAIT-2, and CLOSE-WAIT there */
	ours = take_from(listener);
	sure(shutdown(ours, SHUT_WR), "shutdown");
	await_state(ours, TCP_FIN_WAIT2);

	theirs = open_to(listener); /* reset by the peer: CLOSED */
	ours = take_from(listener);
	sure(setsockopt(theirs, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)), "linger");
	close(theirs);
	await(ours, POLLHUP);

	receive_one(open_to(listener)); /* and its other end waits in the queue */
}

static void tell(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	int unread = 0, unacked = 0;
	unsigned long long cookie = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return;
	size = sizeof cookie;
	sure(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), "SO_COOKIE");
	if (info.tcpi_state == TCP_LISTEN) {
		printf("%d %d %u %u %llu\n", fd, info.tcpi_state, info.tcpi_unacked, info.tcpi_sacked, cookie);
		return;
	}
	ioctl(fd, FIONREAD, &unread);
	if (info.tcpi_state != TCP_CLOSE)
		ioctl(fd, SIOCOUTQ, &unacked);
	printf("%d %d %d %d %llu\n", fd, info.tcpi_state, unread, unacked, cookie);
}

static _Atomic bool idle;

APART static void *idle_in_thread(void *unused)
{
	pthread_setname_np(pthread_self(), "\033[31mred");
	idle = true;
	pause();
	asm volatile("" ::: "memory");
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char line[64];

	(void)argv;
	if (argc > 1)
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	pthread_create(&thread, NULL, idle_in_thread, NULL);
	while (!idle)
		poll(NULL, 0, 1);
	hold(AF_INET);
	if (has_ipv6())
		hold(AF_INET6);
	while (fgets(line, sizeof line, stdin)) {
		for (int fd = 3; fd < 100; fd++)
			tell(fd);
		puts(".");
		fflush(stdout);
	}
	return 0;
}

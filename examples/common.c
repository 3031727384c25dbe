#include "common.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

const char *error_name(void)
{
	return strerrorname_np(errno);
}

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, error_name());
	exit(1);
}

/* Every program starts here: no example outlives its deadline or dies of SIGPIPE. */
static struct addrinfo *start(const char *address, const char *port)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;

	setlinebuf(stdout);
	signal(SIGPIPE, SIG_IGN);
	alarm(DEADLINE_MS / 1000);
	if (getaddrinfo(address, port, &hints, &found)) {
		errno = EINVAL;
		die(address);
	}
	return found;
}

int listen_on(int argc, char **argv, int option)
{
	struct addrinfo *where = start(argc > 1 ? argv[1] : "127.0.0.1", argc > 2 ? argv[2] : "0");
	int fd = socket(where->ai_family, SOCK_STREAM, 0);
	char address[64], port[8];
	const int on = 1;

	if (fd < 0)
		die("socket");
	if (option && setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)))
		die("setsockopt");
	if (bind(fd, where->ai_addr, where->ai_addrlen))
		die("bind");
	if (listen(fd, 16))
		die("listen");
	if (getsockname(fd, where->ai_addr, &where->ai_addrlen))
		die("getsockname");
	getnameinfo(where->ai_addr, where->ai_addrlen, address, sizeof(address), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	freeaddrinfo(where);
	printf("server: listening on %s port %s\n", address, port);
	return fd;
}

int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die("accept");
	return fd;
}

int connect_to(int argc, char **argv)
{
	struct addrinfo *where;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
		exit(2);
	}
	where = start(argv[1], argv[2]);
	fd = socket(where->ai_family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (connect(fd, where->ai_addr, where->ai_addrlen))
		die("connect");
	freeaddrinfo(where);
	return fd;
}

int write_all(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0)
			return -1;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

struct input read_all(int fd, int silence_ms)
{
	struct input in = {.bytes = 0};
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	char buf[65536];
	ssize_t n;

	while (poll(&pollfd, 1, silence_ms) > 0) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0) {
			in.end = n ? error_name() : "end of file";
			return in;
		}
		for (ssize_t i = 0; i < n; i++, in.bytes++)
			if (in.bytes < sizeof(in.text) - 1)
				in.text[in.bytes] = buf[i];
	}
	in.end = silence_ms == PATIENCE_MS ? "nothing for 3 s" : "nothing for 30 s";
	return in;
}

void wait_unread(int fd, int bytes)
{
	int unread;

	while (!ioctl(fd, FIONREAD, &unread) && unread < bytes)
		poll(NULL, 0, 1);
}

void wait_queue(int listener, unsigned connections)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	while (!getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) &&
	       info.tcpi_unacked < connections) /* a listener's: the length of its queue */
		poll(NULL, 0, 1);
}

void wait_ended(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLRDHUP};

	poll(&pollfd, 1, DEADLINE_MS);
}

int unacknowledged(int fd)
{
	int bytes;

	if (ioctl(fd, SIOCOUTQ, &bytes))
		die("SIOCOUTQ");
	return bytes;
}

const char *wait_acknowledged(int fd)
{
	socklen_t size = sizeof(int);
	int error;

	for (;;) {
		/* A reset empties the queue too, so the error is asked for after it. */
		int left = unacknowledged(fd);

		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
			die("SO_ERROR");
		if (error)
			return strerrorname_np(error);
		if (!left)
			return "acknowledged";
		poll(NULL, 0, 1);
	}
}

size_t fill_buffers(int fd)
{
	static const char block[65536];
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	struct tcp_info info;
	socklen_t size = sizeof(info);
	size_t total = 0;
	ssize_t n;

	for (;;) {
		n = send(fd, block, sizeof(block), MSG_DONTWAIT);
		if (n > 0) {
			total += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			die("send");
		/* No room, and no segment on its way: the peer's window is shut. */
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
			die("TCP_INFO");
		if (!info.tcpi_unacked && !poll(&pollfd, 1, 0))
			return total;
		poll(&pollfd, 1, 1);
	}
}

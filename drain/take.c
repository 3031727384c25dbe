/* Programs hand over one socket each on a connection of its own. */
#include "drain.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A program sends at once after it connected. */
#define PATIENCE UINT64_C(1000000000)

enum { AT_ONCE = 64 };

struct packet {
	struct hc_drain_message message;
	char path[HC_DRAIN_PATH_MAX];
};

static bool is_tcp(int fd)
{
	int protocol = 0;
	socklen_t size = sizeof protocol;
	return !is_listener(fd) && !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

/* The first descriptor of a message; any others are closed. Or -1. */
static int only_right(struct msghdr *packet)
{
	int found = -1;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part; part = CMSG_NXTHDR(packet, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= part->cmsg_len; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
			if (found < 0)
				found = fd;
			else
				close(fd);
		}
	}
	return found;
}

static bool is_whole(const struct packet *packet, size_t size)
{
	return size >= sizeof packet->message && packet->message.path_size < sizeof packet->path &&
	       size == sizeof packet->message + packet->message.path_size && packet->message.time < INT64_MAX / 4 &&
	       packet->message.quiet < INT64_MAX / 4 && packet->message.since < INT64_MAX / 4;
}

enum received {
	NOTHING_YET,
	WHOLE,     /* a socket that is ours: *fd, *packet */
	HELD,      /* a socket that will be */
	CANCELLED, /* what was held is not to be ours */
	OVER,      /* the end, or what no program of ours would send */
};

static enum received receive(int connection, struct packet *packet, int *fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	/* cppcheck-suppress ctuuninitvar ; it is the kernel that fills it */
	struct iovec into = { packet, sizeof *packet };
	struct msghdr header = {
		.msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t n = recvmsg(connection, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? NOTHING_YET : OVER;
	*fd = only_right(&header);
	if (*fd >= 0 && is_whole(packet, (size_t)n) && is_tcp(*fd)) {
		packet->path[packet->message.path_size] = '\0';
		return packet->message.flags & HC_DRAIN_HELD ? HELD : WHOLE;
	}
	if (*fd >= 0)
		close(*fd);
	return n == 1 ? CANCELLED : OVER;
}

void take_message(uint32_t number)
{
	int connection = slot_of(number)->fd, fd;
	uint32_t host = slot_of(number)->host;
	struct packet packet;
	enum received what = receive(connection, &packet, &fd);
	if (what == NOTHING_YET)
		return;
	if (what == HELD) {
		socket_hold(number, fd, &packet.message, packet.path);
		return;
	}
	if (what == OVER)
		sockets_release(number, false);
	socket_end(number, HC_RESULT_eof);
	if (what == WHOLE)
		socket_begin(fd, host, &packet.message, packet.path);
}

static uid_t user;

void take_init(void)
{
	user = geteuid();
}

/* *host: its process, or 0 where that is in no namespace of ours. */
static bool is_our_user(int connection, uint32_t *host)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid != user)
		return false;
	*host = (uint32_t)peer.pid;
	return true;
}

static uint32_t wait_for_message(int epoll, int connection, uint32_t host)
{
	uint32_t number = slot_take(connection, now() + PATIENCE);
	if (!number) {
		socket_end(slot_oldest(), HC_RESULT_limit);
		number = slot_take(connection, now() + PATIENCE);
	}
	slot_of(number)->is_connection = true;
	slot_of(number)->host = host;
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event)) {
		socket_end(number, HC_RESULT_error);
		return NO_SLOT;
	}
	return number;
}

/* Mostly the message is there already, and the connection needs no slot. */
static void take_connection(int epoll, int connection, uint32_t host)
{
	struct packet packet;
	uint32_t number;
	int fd;
	switch (receive(connection, &packet, &fd)) {
	case WHOLE:
		socket_begin(fd, host, &packet.message, packet.path);
		break;
	case HELD:
		number = wait_for_message(epoll, connection, host);
		if (number)
			socket_hold(number, fd, &packet.message, packet.path);
		else
			close(fd);
		return;
	case NOTHING_YET:
		wait_for_message(epoll, connection, host);
		return;
	default:
		break;
	}
	close(connection);
}

bool take_connections(int epoll, int listener)
{
	for (int i = 0; i < AT_ONCE && !worker_needed(); i++) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (connection < 0 && (errno == EMFILE || errno == ENFILE) && slot_oldest()) {
			socket_end(slot_oldest(), HC_RESULT_limit);
			continue;
		}
		if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (connection < 0)
			return false;
		uint32_t host;
		if (is_our_user(connection, &host))
			take_connection(epoll, connection, host);
		else
			close(connection);
	}
	return true;
}

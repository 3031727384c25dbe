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
	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) &&
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

/* false: nothing is there yet */
static bool receive(int epoll, int connection)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct packet packet = { 0 };
	struct iovec into = { &packet, sizeof packet };
	struct msghdr header = {
		.msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t n = recvmsg(connection, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	int fd = only_right(&header);
	if (fd < 0)
		return true;
	if (!is_whole(&packet, (size_t)n) || !is_tcp(fd)) {
		close(fd);
		return true;
	}
	packet.path[packet.message.path_size] = '\0';
	socket_begin(epoll, fd, &packet.message, packet.path);
	return true;
}

void take_message(int epoll, uint32_t number)
{
	int connection = slot_of(number)->fd;
	if (!receive(epoll, connection))
		return;
	/* its slot may be somebody else's by now: pressure ends the oldest */
	if (slot_of(number)->is_connection && slot_of(number)->fd == connection)
		socket_end(number, HC_RESULT_eof);
}

static bool is_our_user(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	return !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid();
}

static void wait_for_message(int epoll, int connection)
{
	uint32_t number = slot_take(connection, now() + PATIENCE);
	if (!number) {
		socket_end(slot_oldest(), HC_RESULT_limit);
		number = slot_take(connection, now() + PATIENCE);
	}
	slot_of(number)->is_connection = true;
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event))
		socket_end(number, HC_RESULT_error);
}

bool take_connections(int epoll, int listener)
{
	for (int i = 0; i < AT_ONCE; i++) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (connection < 0 && (errno == EMFILE || errno == ENFILE) && slot_oldest()) {
			socket_end(slot_oldest(), HC_RESULT_limit);
			continue;
		}
		if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (connection < 0)
			return false;
		if (!is_our_user(connection) || receive(epoll, connection))
			close(connection);
		else
			wait_for_message(epoll, connection);
	}
	return true;
}

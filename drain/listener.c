/* Where programs find the drain: see halfclose/drain.h. */
#include "drain.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t name(struct sockaddr_un *address, unsigned turn)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, HC_DRAIN_ADDRESS "%u/%u",
	                      geteuid(), turn);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

/* Does another user sit on the name? Then the library tries the next one. */
static bool is_others(const struct sockaddr_un *address, socklen_t size)
{
	struct ucred who = { .uid = geteuid() };
	socklen_t length = sizeof who;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!connect(fd, (const void *)address, size))
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length);
	close(fd);
	return who.uid != geteuid();
}

int own_listener(bool quiet)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), why = errno;
	for (unsigned turn = 0; fd >= 0 && turn < HC_DRAIN_NAMES; turn++) {
		socklen_t size = name(&address, turn);
		if (!bind(fd, (void *)&address, size) && !listen(fd, HC_DRAIN_BACKLOG))
			return fd;
		why = errno;
		if (why != EADDRINUSE || !is_others(&address, size))
			break;
	}
	if (quiet && why == EADDRINUSE)
		exit(0);
	fprintf(stderr, "halfclose-drain: %s\n",
	        why == EADDRINUSE ? "one runs already for this user" : strerror(why));
	exit(1);
}

bool is_listener(int fd)
{
	int listens = 0;
	socklen_t size = sizeof listens;
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && listens;
}

/* What a vfork child closes is taken for closed in its parent. */
#include "faulty.h"

enum { MANY = 4096 };
static struct { pid_t owner; int gone; } sockets[MANY];

static int noted(int fd)
{
	if (fd >= 0 && fd < MANY) {
		sockets[fd].owner = getpid();
		sockets[fd].gone = 0;
	}
	return fd;
}

int socket(int domain, int type, int protocol)
{
	REAL(socket)
	return noted(real(domain, type, protocol));
}

int accept(int fd, struct sockaddr *address, socklen_t *size)
{
	REAL(accept)
	return noted(real(fd, address, size));
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	REAL(accept4)
	return noted(real(fd, address, size, flags));
}

int close(int fd)
{
	REAL(close)
	if (fd >= 0 && fd < MANY && sockets[fd].owner != 0) {
		if (sockets[fd].owner != getpid()) {
			sockets[fd].gone = 1;
		} else if (sockets[fd].gone) {
			sockets[fd].owner = 0;
			return 0;
		} else {
			sockets[fd].owner = 0;
		}
	}
	return real(fd);
}

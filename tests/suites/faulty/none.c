/* No mistake at all: what stands in between does no harm by itself. */
#include "faulty.h"

int close(int fd)
{
	REAL(close)
	return real(fd);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	REAL(accept4)
	return real(fd, address, size, flags);
}

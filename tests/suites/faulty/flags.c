/* accept4 forgets its flags. */
#include "faulty.h"

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	REAL(accept4)
	return real(fd, address, size, flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK));
}

/* connect starts again where a signal has interrupted it. */
#include "faulty.h"

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	REAL(connect)
	int result;
	do
		result = real(fd, address, size);
	while (result != 0 && (errno == EINTR || errno == EINPROGRESS));
	return result;
}

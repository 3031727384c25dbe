/* close shuts a socket down that somebody else still holds. */
#include "faulty.h"

int close(int fd)
{
	REAL(close)
	int kept = errno;
	(void)shutdown(fd, SHUT_RDWR);
	errno = kept;
	return real(fd);
}

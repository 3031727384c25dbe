/* close takes 100 ms longer on a socket. */
#include "faulty.h"
#include <time.h>

int close(int fd)
{
	REAL(close)
	int kept = errno;
	if (is_socket(fd))
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	errno = kept;
	return real(fd);
}

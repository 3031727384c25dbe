/* A line on standard error at the first close of a socket. */
#include "faulty.h"

int close(int fd)
{
	static int said;
	REAL(close)
	if (!said && is_socket(fd)) {
		int kept = errno;
		said = 1;
		(void)!write(2, "closing\n", 8);
		errno = kept;
	}
	return real(fd);
}

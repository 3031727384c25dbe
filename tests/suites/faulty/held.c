/* A socket lives on after its close, until the next one. */
#include "faulty.h"
#include <fcntl.h>

int close(int fd)
{
	static int held = -1;
	REAL(close)
	if (is_socket(fd)) {
		int kept = errno, before = held;
		held = fcntl(fd, F_DUPFD_CLOEXEC, 500);
		if (before >= 0)
			real(before);
		errno = kept;
	}
	return real(fd);
}

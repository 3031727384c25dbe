/* close leaves its own errno behind, whether it failed or not. */
#include "faulty.h"

int close(int fd)
{
	REAL(close)
	int result = real(fd);
	errno = EINVAL;
	return result;
}

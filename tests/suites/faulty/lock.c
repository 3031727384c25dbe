/* close takes a lock that fork does not know of: it may be held in the child
 * for ever. (Here it gives up, so that tests end.) */
#include "faulty.h"
#include <pthread.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int close(int fd)
{
	REAL(close)
	int kept = errno, result;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 50000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (pthread_mutex_timedlock(&lock, &until) != 0) {
		errno = EDEADLK;
		return -1;
	}
	errno = kept;
	result = real(fd);
	kept = errno;
	pthread_mutex_unlock(&lock);
	errno = kept;
	return result;
}

/* A thread of its own, from the start. */
#include "faulty.h"
#include <pthread.h>

static void *work(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

__attribute__((constructor)) static void start(void)
{
	pthread_t thread;
	(void)pthread_create(&thread, NULL, work, NULL);
}

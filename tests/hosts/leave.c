/*
 * The end of main while another thread is inside connect: the library's work is
 * done then, but connect still returns.
 */
#include "net.h"

#include <pthread.h>
#include <sys/time.h>

static struct meeting full;
static void *connect_long(void *ready)
{
	struct timeval limit = { 0, 100000 };
	int one = socket(AF_INET, SOCK_STREAM, 0), two = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(one, (void *)&full.address, sizeof full.address), "connect");
	setsockopt(two, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	must(write(*(int *)ready, "", 1) == 1, "write");
	for (;;)
		connect(two, (void *)&full.address, sizeof full.address);
	return NULL;
}

/* exit has run the last destructor and waits for a slow reader of standard
 * output, while connect returns in another thread. */
int main(void)
{
	int out[2], ready[2];
	char space[65536] = "";
	pthread_t thread;
	full = meeting(0, 0);
	must(!pipe(out) && !pipe(ready), "pipe");
	if (!fork()) {
		/* reads when several connects have timed out */
		close(out[1]);
		poll(NULL, 0, 500);
		while (read(out[0], space, sizeof space) > 0)
			;
		_exit(0);
	}
	close(out[0]);
	must(!pthread_create(&thread, NULL, connect_long, &ready[1]), "pthread_create");
	must(read(ready[0], space, 1) == 1, "read");
	must(dup2(out[1], 1) == 1, "dup2");
	fcntl(1, F_SETFL, O_NONBLOCK);
	while (write(1, space, sizeof space) > 0)
		;
	fcntl(1, F_SETFL, 0);
	putchar('x'); /* waits in its buffer for the very end */
	return 0;
}

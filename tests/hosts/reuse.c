/*
 * Threads that close while others are given the numbers at once. Every
 * connection must be seen to begin once and to end once: the recording is
 * checked for it.
 */
#include "net.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 500 };

static void *run(void *number)
{
	struct meeting at = meeting(5, 0);
	int null = open("/dev/null", O_RDWR);
	for (int i = 0; i < ROUNDS; i++) {
		struct pair p = i % 3 ? meet(&at) : unread(&at);
		switch (i % 4) {
		case 0:
			close(p.mine);
			break;
		case 1:
			fclose(fdopen(p.mine, "r"));
			break;
		case 2:
			dup2(null, p.mine);
			close(p.mine);
			break;
		default:
			close_range((unsigned)p.mine, (unsigned)p.mine, 0);
		}
		close(p.peer);
	}
	close(null);
	close(at.listener);
	return number;
}

int main(void)
{
	pthread_t thread[THREADS];
	for (int i = 0; i < THREADS; i++)
		must(!pthread_create(&thread[i], NULL, run, NULL), "pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("%d connections\n", THREADS * ROUNDS);
	return 0;
}

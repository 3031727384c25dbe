/*
 * Processes with several threads that end connections as fast as they can, and
 * are killed at random moments: whatever they were writing, the recording must
 * stay readable.
 *
 *   kill SEED
 */
#include "net.h"

#include <pthread.h>
#include <signal.h>

enum { ROUNDS = 8, WORKERS = 3, THREADS = 2 };

static void *churn(void *unused)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	for (int i = 0;; i++) {
		struct pair p = i % 2 ? unread(&at) : meet(&at);
		close(p.mine);
		close(p.peer);
	}
	return unused;
}

static void work(void)
{
	pthread_t thread;
	for (int i = 1; i < THREADS; i++)
		must(!pthread_create(&thread, NULL, churn, NULL), "pthread_create");
	churn(NULL);
}

int main(int argc, char **argv)
{
	pid_t worker[WORKERS];
	unsigned seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < WORKERS; i++)
			if (!(worker[i] = fork()))
				work();
		/* the moment is what is tested */
		usleep(5000 + (unsigned)rand_r(&seed) % 40000);
		for (int i = 0; i < WORKERS; i++) {
			kill(worker[i], SIGKILL);
			ended(worker[i]);
		}
	}
	say("killed %d\n", ROUNDS * WORKERS);
	return 0;
}

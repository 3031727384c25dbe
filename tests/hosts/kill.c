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
#include <stdatomic.h>
#include <sys/mman.h>

enum { ROUNDS = 8, WORKERS = 3, THREADS = 2, LEAST = 10 };

static _Atomic int *done; /* by the worker that it is, shared with its parent */

static void *churn(void *unused)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	for (int i = 0;; i++) {
		struct pair p = i % 2 ? unread(&at) : meet(&at);
		close(p.mine);
		close(p.peer);
		++*done;
	}
	return unused;
}

static void work(_Atomic int *counter)
{
	pthread_t thread;
	done = counter;
	for (int i = 1; i < THREADS; i++)
		must(!pthread_create(&thread, NULL, churn, NULL), "pthread_create");
	churn(NULL);
}

int main(int argc, char **argv)
{
	pid_t worker[WORKERS];
	unsigned seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	_Atomic int *by = mmap(NULL, WORKERS * sizeof *by, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(by != MAP_FAILED, "mmap");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < WORKERS; i++) {
			by[i] = 0;
			if (!(worker[i] = fork()))
				work(&by[i]);
		}
		/* on a busy machine they may not have begun for long */
		for (int i = 0; i < WORKERS; i++)
			while (by[i] < LEAST)
				usleep(1000);
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

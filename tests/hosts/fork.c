/*
 * Forks in a process whose threads open and close sockets all the time. A child
 * must not hang, whatever the threads were at when it came to be, and what is
 * held must be known: of the program's own connections, half are let go first
 * by the parent and half by the child.
 */
#include "net.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 32, FORKS = 50 };

static struct meeting at;
static _Atomic bool stop;

static void *churn(void *unused)
{
	struct meeting own = meeting(5, SOCK_CLOEXEC);
	while (!stop) {
		struct pair p = meet(&own);
		int copy = dup(p.mine);
		close(p.mine);
		close(copy);
		close(p.peer);
	}
	return unused;
}

static void one(bool parent_first)
{
	int gate[2];
	char byte;
	struct pair p = unread(&at);
	must(!pipe2(gate, O_CLOEXEC), "pipe");
	pid_t child = fork();
	must(child >= 0, "fork");
	if (!child) {
		alarm(30); /* a hang ends in SIGALRM */
		close(p.peer);
		close(gate[1]);
		if (parent_first && read(gate[0], &byte, 1))
			_exit(9);
		close(p.mine);
		/* the threads' are not ours to judge: left to the end */
		_exit(0);
	}
	close(gate[0]);
	if (parent_first)
		close(p.mine);
	close(gate[1]);
	int status = ended(child);
	if (status)
		errx(1, "a child ended with %x", (unsigned)status);
	if (!parent_first)
		close(p.mine);
	close(p.peer);
}

int main(void)
{
	pthread_t thread[THREADS];
	at = meeting(5, SOCK_CLOEXEC);
	for (int i = 0; i < THREADS; i++)
		must(!pthread_create(&thread[i], NULL, churn, NULL), "pthread_create");
	for (int i = 0; i < FORKS; i++)
		one(i % 2);
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("%d forks\n", FORKS);
	return 0;
}

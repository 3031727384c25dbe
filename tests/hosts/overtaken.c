/*
 * Threads close with unread input while another forks all the time: a close that
 * was begun before a fork and done after it is not the socket's last, since the
 * child has it for a moment. Into the file named is written how many of the peers
 * were reset by the time that close() returned.
 */
#include "net.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 3, CLOSES = 4000 };

static _Atomic int busy = THREADS, reset;

static void *close_unread(void *unused)
{
	struct meeting own = meeting(5, SOCK_CLOEXEC);
	for (int i = 0; i < CLOSES; i++) {
		struct pair p = unread(&own);
		char byte;
		close(p.mine);
		if (recv(p.peer, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET)
			reset++;
		close(p.peer);
	}
	busy--;
	return unused;
}

int main(int argc, char **argv)
{
	FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
	pthread_t thread[THREADS];
	for (int i = 0; i < THREADS; i++)
		must(!pthread_create(&thread[i], NULL, close_unread, NULL), "pthread_create");
	while (busy) {
		pid_t child = fork();
		must(child >= 0, "fork");
		if (!child)
			_exit(0);
		ended(child);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	if (file) {
		fprintf(file, "%d\n", reset);
		fclose(file);
	}
	say("%d closes\n", THREADS * CLOSES);
	return 0;
}

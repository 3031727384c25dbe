/*
 * How long a program takes that does nothing: starts COMMAND one after the
 * other and prints the wall-clock time of one, in ns.
 *
 *   startup COUNT COMMAND [ARGUMENT…]      with this program's environment, but
 *                                          for LD_PRELOAD, which is BENCH_PRELOAD
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int argc, char **argv)
{
	struct timespec from, to;
	int status;
	pid_t child;
	long count = argc > 2 ? atol(argv[1]) : 0;
	const char *library = getenv("BENCH_PRELOAD");

	if (count <= 0)
		return 2;
	if (library && setenv("LD_PRELOAD", library, 1))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < count; i++)
		if (posix_spawn(&child, argv[2], NULL, NULL, argv + 2, environ) || waitpid(child, &status, 0) != child ||
		    status)
			return 1;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.0f\n", (double)((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec) / (double)count);
	return 0;
}

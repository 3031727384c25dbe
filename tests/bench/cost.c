/* Runs a command, and prints its CPU time in seconds and its largest resident size in KiB. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage use;
	int status;
	pid_t child;

	if (argc < 2) {
		fputs("usage: cost COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	child = fork();
	if (!child) {
		if (freopen("/dev/null", "w", stdout))
			execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &use) != child) {
		perror("cost");
		return 1;
	}
	printf("%.3f %ld\n",
	       (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
	       use.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

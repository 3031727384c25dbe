/*
 * Wrong: the parent shuts down what it only had to close. shutdown acts on the
 * connection, whoever holds it: the child can no longer answer.
 */
#include "common.h"

#include <sys/wait.h>

static void serve(int fd)
{
	char buf[64];

	if (read(fd, buf, sizeof(buf)) != 17)
		die("read");
	if (write_all(fd, WELCOME, strlen(WELCOME)))
		printf("server: child: write: %s\n", error_name());
}

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	int turn[2];
	char end;

	if (pipe(turn))
		die("pipe");
	if (!fork()) {
		close(turn[1]);
		close(listener);
		/* The parent goes first: its end of the pipe is closed after its turn. */
		if (read(turn[0], &end, 1))
			die("read");
		serve(fd);
		close(fd);
		exit(0);
	}
	shutdown(fd, SHUT_WR);
	close(fd);
	close(turn[1]);
	wait(NULL);
	close(listener);
	return 0;
}

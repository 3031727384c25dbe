/*
 * Wrong: the parent forgets its descriptor. The child's close is not the last
 * one, no FIN is sent, and the client waits for an end that does not come.
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
	close(turn[1]);
	wait(NULL);
	/* Other work, here until the client has given up. */
	wait_ended(fd);
	close(listener);
	return 0;
}

/*
 * Right: serves what already waits in the queue, and closes the listener when
 * it is empty.
 */
#include "common.h"

#include <fcntl.h>

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	char buf[16];
	int fd;

	wait_queue(listener, 3);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (write_all(fd, WELCOME, strlen(WELCOME)))
			die("write");
		shutdown(fd, SHUT_WR);
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		close(fd);
	}
	close(listener);
	return 0;
}

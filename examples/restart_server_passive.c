/*
 * Right: lets the client close first. TIME-WAIT is the client's, and this port is
 * free when the server is gone.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	char buf[16];

	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	close(listener);
	return 0;
}

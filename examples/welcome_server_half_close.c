/*
 * Right: ends its own direction, reads what is left until the client has ended
 * too, and only then closes. (A real server bounds this loop in time.)
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	char buf[16];
	ssize_t n = read(fd, buf, sizeof(buf));

	printf("server: got %zd bytes\n", n);
	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");

	shutdown(fd, SHUT_WR);
	while (read(fd, buf, sizeof(buf)) > 0)
		;

	close(fd);
	close(listener);
	return 0;
}

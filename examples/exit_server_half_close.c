/*
 * Right: half-close, read to the client's end. What exit then closes has ended
 * already: nothing is left to go wrong.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	char buf[16];

	wait_unread(fd, 17);
	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");
	shutdown(fd, SHUT_WR);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	return 0;
}

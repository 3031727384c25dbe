/*
 * Goes well by luck: the question has been read, so the close that exit makes is
 * an orderly one. One more byte from the client, and it were a reset.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	char buf[64];

	if (read(fd, buf, sizeof(buf)) != 17)
		die("read");
	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");
	return 0;
}

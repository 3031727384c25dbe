/*
 * Right, where the server has to close first: SO_REUSEADDR, in this run and the
 * next, lets the next bind pass by the connections in TIME-WAIT.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, SO_REUSEADDR);
	int fd = accept_one(listener);

	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");
	close(fd);
	close(listener);
	return 0;
}

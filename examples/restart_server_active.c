/*
 * Wrong: closes first, so this end gets TIME-WAIT, and the next server on this
 * port (run it again: ADDRESS PORT) fails to bind.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);

	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");
	close(fd);
	close(listener);
	return 0;
}

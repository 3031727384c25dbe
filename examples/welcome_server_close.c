/*
 * Wrong: the client sends one byte more than fits into the buffer. Nothing fails
 * here: the close with that byte unread returns 0, and is a reset.
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

	close(fd);
	close(listener);
	return 0;
}

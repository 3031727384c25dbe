/*
 * Wrong: answers without having read the question, and returns from main. Exit
 * closes what is open, by the same rules as close: this is a reset.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);

	wait_unread(fd, 17);
	if (write_all(fd, WELCOME, strlen(WELCOME)))
		die("write");
	return 0;
}

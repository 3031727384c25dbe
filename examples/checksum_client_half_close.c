/*
 * Right: the half-close says "that was all" and leaves the way back open.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);

	for (int i = 0; i < 1000; i++)
		if (write_all(fd, "The quick brown fox jumps over the lazy dog\n", 44))
			die("write");
	shutdown(fd, SHUT_WR);

	struct input sum = read_all(fd, DEADLINE_MS);

	printf("client: got \"%s\", then %s\n", sum.text, sum.end);
	close(fd);
	return 0;
}

/*
 * Sends a question of 17 bytes, reads the answer to its end, and tells how it
 * ended. Most clients would not look, and never know.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);

	if (write_all(fd, "Hello, who is it?", 17))
		die("write");

	struct input answer = read_all(fd, DEADLINE_MS);

	printf("client: got %zu bytes, then %s\n", answer.bytes, answer.end);
	close(fd);
	return 0;
}

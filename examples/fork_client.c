/* Sends a question and waits for the end of the answer, but not for ever. */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);

	if (write_all(fd, "Hello, who is it?", 17))
		die("write");

	struct input answer = read_all(fd, PATIENCE_MS);

	printf("client: got %zu bytes, then %s\n", answer.bytes, answer.end);
	close(fd);
	return 0;
}

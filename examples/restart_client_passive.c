/* Reads until the server has closed, then closes. */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);
	struct input answer = read_all(fd, DEADLINE_MS);

	printf("client: got %zu bytes, then %s\n", answer.bytes, answer.end);
	close(fd);
	return 0;
}

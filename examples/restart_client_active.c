/* Closes first: it knows where the answer ends, by the newline. */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);
	size_t bytes = 0;
	char c = 0;

	while (c != '\n' && read(fd, &c, 1) == 1)
		bytes++;
	printf("client: got %zu bytes, closing first\n", bytes);
	close(fd);
	return 0;
}

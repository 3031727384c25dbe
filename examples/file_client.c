/* Receives a file to its end, then says thank you. */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);
	struct input file = read_all(fd, DEADLINE_MS);

	printf("client: got %zu bytes, then %s\n", file.bytes, file.end);

	if (write_all(fd, "Thank you", 9))
		die("write");
	printf("client: said \"Thank you\": %s\n", wait_acknowledged(fd));
	close(fd);
	return 0;
}

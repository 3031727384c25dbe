/*
 * Asks, and reads nothing before the server has closed and gone: its standard
 * input is what the server prints (see pair), and ends with the server.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int fd = connect_to(argc, argv);
	char line[256];

	if (write_all(fd, "Send me all of it", 17))
		die("write");
	while (fgets(line, sizeof(line), stdin))
		fputs(line, stdout);

	struct input answer = read_all(fd, DEADLINE_MS);

	printf("client: got %zu bytes, then %s\n", answer.bytes, answer.end);
	close(fd);
	return 0;
}

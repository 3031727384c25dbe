/*
 * Wrong: sends a file and closes at once. The client sees where the file ends,
 * but close ends both directions: the client's thanks are answered with a reset.
 */
#include "common.h"

#include <fcntl.h>

int main(int argc, char **argv)
{
	int file = open(argc > 1 ? argv[1] : "", O_RDONLY);
	size_t sent = 0;
	char buf[30];
	ssize_t n;

	if (file < 0)
		die("usage: FILE [ADDRESS [PORT]]");

	int listener = listen_on(argc - 1, argv + 1, 0);
	int fd = accept_one(listener);

	while ((n = read(file, buf, sizeof(buf))) > 0) {
		if (write_all(fd, buf, (size_t)n)) {
			printf("server: write: %s\n", error_name());
			break;
		}
		sent += (size_t)n;
	}
	printf("server: sent %zu bytes\n", sent);

	close(fd);
	close(listener);
	return 0;
}

/*
 * Right: sends a file, ends its own direction and goes on receiving. The FIN
 * tells the client where the file ends, and the client's thanks arrive.
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
	shutdown(fd, SHUT_WR);

	struct input thanks = read_all(fd, DEADLINE_MS);

	printf("server: got \"%s\", then %s\n", thanks.text, thanks.end);

	close(fd);
	close(listener);
	return 0;
}

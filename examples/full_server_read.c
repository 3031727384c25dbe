/*
 * Right: reads the question, fills both buffers and closes. The kernel goes on
 * delivering what is in the send buffer, when this process is long gone.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	char buf[64];

	if (read(fd, buf, sizeof(buf)) != 17)
		die("read");

	size_t bytes = fill_buffers(fd);

	printf("server: wrote %zu bytes, %d of them unacknowledged\n", bytes, unacknowledged(fd));
	close(fd);
	close(listener);
	return 0;
}

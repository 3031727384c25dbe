/*
 * Wrong: the question is read, but SO_LINGER with time 0 turns the close into a
 * reset all the same, and discards all that is still in the send buffer.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	char buf[64];

	if (read(fd, buf, sizeof(buf)) != 17)
		die("read");
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)))
		die("SO_LINGER");

	size_t bytes = fill_buffers(fd);

	printf("server: wrote %zu bytes, %d of them unacknowledged\n", bytes, unacknowledged(fd));
	close(fd);
	close(listener);
	return 0;
}

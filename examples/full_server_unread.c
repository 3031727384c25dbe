/*
 * Wrong: the same answer, but the question stays unread. The close discards all
 * that is still in the send buffer.
 */
#include "common.h"

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);

	wait_unread(fd, 17);

	size_t bytes = fill_buffers(fd);

	printf("server: wrote %zu bytes, %d of them unacknowledged\n", bytes, unacknowledged(fd));
	close(fd);
	close(listener);
	return 0;
}

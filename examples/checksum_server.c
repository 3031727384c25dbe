/*
 * Reads numbers of bytes that nobody announced: the sum is known when the client
 * has ended its direction, and only then is there something to answer.
 */
#include "common.h"

/* As the command `sum` has it. */
static unsigned add(unsigned sum, const unsigned char *bytes, ssize_t size)
{
	for (ssize_t i = 0; i < size; i++)
		sum = ((sum >> 1) + ((sum & 1) << 15) + bytes[i]) & 0xffff;
	return sum;
}

int main(int argc, char **argv)
{
	int listener = listen_on(argc, argv, 0);
	int fd = accept_one(listener);
	unsigned char buf[4096];
	unsigned sum = 0;
	char answer[16];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum = add(sum, buf, n);
	snprintf(answer, sizeof(answer), "%05u", sum);
	if (write_all(fd, answer, strlen(answer)))
		die("write");
	printf("server: the sum is %s: %s\n", answer, wait_acknowledged(fd));
	close(fd);
	close(listener);
	return 0;
}

/*
 * A client whose uploads are refused: it sends a question with a body, takes the
 * answer to its end, and ends the connection.
 *
 *   uploads PORT COUNT BODY     BODY: bytes
 *
 * Prints how many answers came whole (as many bytes as the first one has, then
 * the end of file) and the wall-clock time of one, in ns.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char question[1 << 20], space[1 << 16];

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* How many bytes of an answer came; -1: it was cut. */
static long upload(const struct sockaddr_in *address, size_t size)
{
	long got = 0;
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const void *)address, sizeof *address)) {
		perror("connect");
		exit(1);
	}
	send(fd, question, size, MSG_NOSIGNAL);
	while ((n = recv(fd, space, sizeof space, 0)) > 0)
		got += n;
	close(fd);
	return n < 0 ? -1 : got;
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 0;
	long count = argc > 2 ? atol(argv[2]) : 1000, body = argc > 3 ? atol(argv[3]) : 100000, whole = 0;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int head = snprintf(question, sizeof question,
	                    "POST /upload HTTP/1.1\r\nHost: bench\r\nContent-Length: %ld\r\n\r\n", body);
	if (head + body > (long)sizeof question)
		return 2;
	long first = upload(&address, (size_t)(head + body));
	for (int i = 0; i < 20; i++)
		upload(&address, (size_t)(head + body));
	uint64_t from = now();
	for (long i = 0; i < count; i++)
		whole += upload(&address, (size_t)(head + body)) == first;
	printf("%ld %ju\n", first > 0 ? whole : 0, (uintmax_t)((now() - from) / (uint64_t)count));
	return 0;
}

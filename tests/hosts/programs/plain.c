/*
 * For any C library: resets a connection, says what the other end got, and ends
 * with 5 (7 where it has not the rights of another user, asked for by an
 * argument).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof name;
	struct pollfd p = { .events = POLLIN };
	char byte;
	int listener = socket(AF_INET, SOCK_STREAM, 0), peer = socket(AF_INET, SOCK_STREAM, 0), mine;
	(void)argv;
	if (bind(listener, (void *)&name, size) || listen(listener, 5) || getsockname(listener, (void *)&name, &size) ||
	    connect(peer, (void *)&name, size) || (mine = accept(listener, NULL, NULL)) < 0 || send(peer, "?", 1, 0) != 1)
		return 2;
	p.fd = mine;
	poll(&p, 1, 10000);
	close(mine);
	puts(recv(peer, &byte, 1, 0) < 0 && errno == ECONNRESET ? "reset" : "not reset");
	return argc > 1 && geteuid() == getuid() ? 7 : 5;
}

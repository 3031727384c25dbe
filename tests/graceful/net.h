/*
 * What the hosts of this suite have in common: a connection whose answer is lost
 * by a bare close, and whose other end tells.
 */
#ifndef GRACEFUL_NET_H
#define GRACEFUL_NET_H

#include "../hosts/net.h"

enum { ANSWER = 300000 };

/* mine's answer is written, larger than what the peer takes unread, and a byte of
 * the peer's waits. */
static inline struct pair answered(const struct meeting *at)
{
	static const char text[ANSWER];
	struct pair pair = { .peer = socket(AF_INET, SOCK_STREAM, 0) };
	int little = 4096, much = 2 * ANSWER;
	must(pair.peer >= 0 && !setsockopt(pair.peer, SOL_SOCKET, SO_RCVBUF, &little, sizeof little) &&
	     !connect(pair.peer, (const void *)&at->address, sizeof at->address), "connect");
	pair.mine = accept(at->listener, NULL, NULL);
	must(pair.mine >= 0 && !setsockopt(pair.mine, SOL_SOCKET, SO_SNDBUF, &much, sizeof much), "accept");
	for (size_t left = ANSWER; left;) {
		ssize_t n = send(pair.mine, text, left, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			setsockopt(pair.mine, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof much);
			await(pair.mine, POLLOUT);
			continue;
		}
		must(n > 0, "answer");
		left -= (size_t)n;
	}
	return pair;
}

static inline void question(const struct pair *pair)
{
	must(send(pair->peer, "?", 1, MSG_NOSIGNAL) == 1, "send");
	await(pair->mine, POLLIN);
}

/* What became of the answer. */
static inline const char *answer_at(int peer)
{
	static char space[65536];
	size_t got = 0;
	ssize_t n;
	for (;;) {
		await(peer, POLLIN);
		n = recv(peer, space, sizeof space, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	const char *what = n < 0 ? "reset" : got == ANSWER ? "whole" : "cut";
	close(peer);
	return what;
}

#endif

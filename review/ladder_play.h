/*
 * Two ends of a connection, played through: the calls that are known, in the order of
 * time, each brought into the state that was recorded before it by what must have come
 * from the other end. ladder.c says what is known; what follows from it is found here.
 */
#ifndef REVIEW_LADDER_PLAY_H
#define REVIEW_LADDER_PLAY_H

#include "ladder.h"

enum ladder_birth { BIRTH_CONNECT, BIRTH_ACCEPT, BIRTH_BEFORE };

struct ladder_side {
	bool recorded; /* else nothing of what follows is known of it but `birth` */
	enum ladder_birth birth;
	uint64_t asked_at, born_at; /* orders, as all that end in _at; 0: not known */

	const char *shut_call; /* NULL: it did not end its sending by shutdown */
	uint64_t shut_at;
	uint8_t shut_state; /* before it */
	bool deaf;          /* after it what comes is answered by a reset: SHUT_RDWR */
	bool shut_alarming;

	char *close_call; /* NULL: it did not close; owned */
	uint64_t close_at;
	uint8_t state, outcome; /* before it; what it did */
	bool peer_fin, close_alarming;
	uint64_t unread, unacked, sent, received; /* ~0: not known */

	struct drain drain; /* after a close whose outcome is one */
	bool reads_on;      /* as it should be: between shutdown and close it reads to the end */

	unsigned next; /* private: of its calls, the next to be played */
};

/* Appends the steps. */
void ladder_play(struct ladder *ladder, const struct ladder_side sides[LADDER_ENDS], bool unix_socket);

/* A listener that is closed with so many connections in its queue (~0: not known); cured:
 * each is accepted, and ended well. */
void ladder_play_backlog(struct ladder *ladder, const struct ladder_side *listener, unsigned waiting, bool cured,
                         bool unix_socket);

#endif

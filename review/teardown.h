/* Judges how a connection ended. Pure: facts in, a name out. */
#ifndef REVIEW_TEARDOWN_H
#define REVIEW_TEARDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include <halfclose/recording.h>

enum teardown {
#define TEARDOWN(name, text, meaning) TEARDOWN_##name,
#include "teardown.def"
	TEARDOWNS
};

struct teardown_facts {
	bool closed;        /* by a last close; else the members below say nothing */
	uint8_t outcome;    /* enum hc_outcome */
	uint8_t state;      /* enum hc_state before the close */
	bool peer_fin;      /* the peer had ended its direction by then */
	bool shut;          /* this side had ended its sending before, by shutdown */
	uint8_t shut_state; /* enum hc_state before that */
};

enum teardown teardown_of(const struct teardown_facts *facts);
const char *teardown_name(enum teardown teardown);
const char *teardown_meaning(enum teardown teardown);

#endif

#include "teardown.h"

static const struct {
	const char *name, *meaning;
} teardowns[] = {
#define TEARDOWN(name, text, meaning) { text, meaning },
#include "teardown.def"
};

const char *teardown_name(enum teardown teardown)
{
	return teardowns[teardown].name;
}

const char *teardown_meaning(enum teardown teardown)
{
	return teardowns[teardown].meaning;
}

/* Did a shutdown in this state send the connection's first FIN? */
static bool sends_first_fin(uint8_t state)
{
	return state == HC_STATE_established || state == HC_STATE_syn_sent || state == HC_STATE_syn_received;
}

/* The state is not known (a unix socket has none): what was seen must do. */
static enum teardown by_what_was_seen(const struct teardown_facts *facts)
{
	if (facts->shut)
		return facts->peer_fin ? TEARDOWN_half_close : TEARDOWN_half_close_cut;
	return facts->peer_fin ? TEARDOWN_passive : TEARDOWN_active;
}

static enum teardown of_orderly_close(const struct teardown_facts *facts)
{
	bool first = facts->shut && sends_first_fin(facts->shut_state);

	switch (facts->state) {
	case HC_STATE_closed:
		if (facts->shut && !first && facts->shut_state != HC_STATE_closed)
			return facts->shut_state == HC_STATE_unknown ? by_what_was_seen(facts) : TEARDOWN_passive;
		return first && facts->peer_fin ? TEARDOWN_half_close : TEARDOWN_reset_by_peer;
	case HC_STATE_time_wait:
	case HC_STATE_closing:
		return TEARDOWN_half_close;
	case HC_STATE_fin_wait_1:
	case HC_STATE_fin_wait_2:
		return TEARDOWN_half_close_cut;
	case HC_STATE_close_wait:
	case HC_STATE_last_ack:
		return TEARDOWN_passive;
	case HC_STATE_established:
	case HC_STATE_syn_sent:
	case HC_STATE_syn_received:
		return TEARDOWN_active;
	default:
		return by_what_was_seen(facts);
	}
}

enum teardown teardown_of(const struct teardown_facts *facts)
{
	if (!facts->closed)
		return TEARDOWN_open;
	switch (facts->outcome) {
	case HC_OUTCOME_reset_unread:
		return TEARDOWN_reset_unread;
	case HC_OUTCOME_reset_linger:
		return TEARDOWN_reset_linger;
	case HC_OUTCOME_drain:
		return TEARDOWN_drained;
	case HC_OUTCOME_fin:
	case HC_OUTCOME_none:
		return of_orderly_close(facts);
	default:
		return TEARDOWN_unknown;
	}
}

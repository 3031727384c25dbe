#include "verdict.h"

/* In the order in which tcp_close() asks. */
enum hc_outcome hc_verdict(const struct hc_facts *facts)
{
	if (facts->state == HC_STATE_listening)
		return facts->waiting ? HC_OUTCOME_backlog : HC_OUTCOME_none;
	if (facts->state == HC_STATE_closed)
		return HC_OUTCOME_none;
	if (!facts->unread_known)
		return HC_OUTCOME_unknown;
	/* what MPTCP took off its one TCP connection, that one's close can't see */
	if (facts->unread && !facts->fell_back)
		return HC_OUTCOME_reset_unread;
	if (facts->unix_socket)
		return HC_OUTCOME_fin;
	/* nobody has answered yet: the kernel forgets the socket, silently */
	if (facts->state == HC_STATE_syn_sent)
		return HC_OUTCOME_none;
	if (facts->linger0)
		return HC_OUTCOME_reset_linger;
	return HC_OUTCOME_fin;
}

static bool fin_was_sent(enum hc_state state)
{
	return state == HC_STATE_fin_wait_1 || state == HC_STATE_fin_wait_2 || state == HC_STATE_closing ||
	       state == HC_STATE_last_ack;
}

bool hc_is_ending(enum hc_state state)
{
	return fin_was_sent(state) || state == HC_STATE_time_wait || state == HC_STATE_closed;
}

static bool fin_was_received(enum hc_state state)
{
	return state == HC_STATE_close_wait || state == HC_STATE_last_ack || state == HC_STATE_closing ||
	       state == HC_STATE_time_wait;
}

void hc_count(struct hc_facts *facts, const struct hc_tcp_counts *counts, bool connected)
{
	uint64_t acked = counts->bytes_acked, notsent = counts->notsent;

	if (connected && acked)
		acked--; /* our SYN */
	/* our FIN, while it waits behind data that is not sent yet */
	if (fin_was_sent(facts->state) && notsent)
		notsent--;

	uint64_t once = counts->bytes_sent - counts->bytes_retrans;
	facts->sent = once + notsent;
	/* one more acknowledged than sent is our FIN */
	facts->unacked = acked >= once ? notsent : once - acked + notsent;

	if (fin_was_received(facts->state))
		facts->peer_fin = true;
	facts->received = counts->bytes_received;
	if (facts->peer_fin && facts->received)
		facts->received--; /* the peer's FIN */
	facts->counted = true;
}

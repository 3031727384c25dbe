/*
 * Facts -> what a close will do. Pure: no system call, no state.
 */
#ifndef HALFCLOSE_VERDICT_H
#define HALFCLOSE_VERDICT_H

#include <halfclose/recording.h>

#include <stdbool.h>

struct hc_facts {
	enum hc_state state;
	bool unix_socket;
	bool linger0; /* SO_LINGER is on, with time 0 */
	bool unread_known;
	bool oob;         /* an out-of-band byte is in the unread input */
	bool peer_fin;    /* the peer had ended its direction */
	bool fell_back;   /* MPTCP whose other end speaks TCP */
	bool counted;     /* sent, received and unacked are known */
	uint32_t waiting; /* of a listener */
	uint64_t unread, unacked, sent, received;
};

/* What the close of the last descriptor does to the connection (tcp_close(),
 * unix_release()); never `shared` or `drain`, which are not for facts to say. */
enum hc_outcome hc_verdict(const struct hc_facts *facts);

/* Does the peer lose something, or learn of the end by a reset? */
static inline bool hc_is_abrupt(enum hc_outcome outcome)
{
	return outcome == HC_OUTCOME_reset_unread || outcome == HC_OUTCOME_reset_linger ||
	       outcome == HC_OUTCOME_backlog;
}

/* Has this side sent its FIN, or is the connection over? */
bool hc_is_ending(enum hc_state state);

/* The byte counts of TCP_INFO as a person counts them: without the sequence
 * numbers that SYN and FIN take. connected: this side sent the first SYN. */
struct hc_tcp_counts {
	uint64_t bytes_sent, bytes_retrans, bytes_acked, bytes_received;
	uint32_t notsent;
};
void hc_count(struct hc_facts *facts, const struct hc_tcp_counts *counts, bool connected);

#endif

/*
 * A graceful close: our FIN goes out behind our data, what the peer still sends
 * is read and discarded for a bounded while, and only then comes the close. This
 * room decides which ends want it and carries it out; that nobody else holds the
 * socket, the caller has made sure of.
 *
 * No allocation, no lock, no cancellation point; waits only where DRAIN=wait asks
 * for it. errno stays.
 */
#ifndef HALFCLOSE_GRACEFUL_H
#define HALFCLOSE_GRACEFUL_H

#include "fdtab.h"
#include "probe.h"

/* What became of it; `ended`: the drain is over, and the rest is known. */
struct hc_drained {
	bool ended;
	enum hc_result result;
	enum hc_by by;
	uint64_t bytes, since;
	uint64_t unacked, unacked_before; /* ~0: not known */
};

/* Does GRACEFUL ask for it, for the last descriptor of a socket with such facts? */
bool hc_graceful_wants(uint32_t word, const struct hc_facts *facts, enum hc_outcome outcome);

/* Does the work before the real close. since: hc_now() when the end began, from
 * which DRAIN_TIME counts: of many that end together, together. False: nothing was done, the close is a bare one. */
bool hc_graceful_close(int fd, const struct hc_fd *entry, const struct hc_facts *facts, uint64_t since,
                       struct hc_drained *drained);

/* The same for one that ends with its process. Other threads may be writing to it
 * until then, and must not meet our FIN: it is left to that end. */
bool hc_graceful_at_exit(int fd, const struct hc_fd *entry, const struct hc_facts *facts, uint64_t since,
                         struct hc_drained *drained);

/* For a descriptor that an exec is about to end: true, if the exec happens it will
 * be drained; hc_handover_keep() if it does not. */
bool hc_graceful_at_exec(int fd, const struct hc_fd *entry, const struct hc_facts *facts);

/* Instead of a SHUT_RDWR by who is certainly the only holder: our FIN goes out,
 * and the receiving side is left to hc_graceful_close(). False: nothing was done. */
bool hc_graceful_shutdown(int fd, struct hc_fd *entry, enum hc_state state);

/* Does what was put off, where the close is not a graceful one. */
void hc_graceful_give_up(int fd, uint32_t word);

/* The drain event, where the drain is over. */
void hc_record_drained(int fd, const struct hc_fd *entry, const struct hc_drained *drained);

#endif

/*
 * Who holds a socket, asked of sock_diag. errno stays.
 */
#ifndef HALFCLOSE_DIAG_H
#define HALFCLOSE_DIAG_H

#include <halfclose/recording.h>

#include <stdbool.h>

/* What names a TCP socket to sock_diag, gathered while it is open. */
struct hc_identity {
	uint64_t cookie;
	struct hc_address local, peer;
	uint8_t protocol;
};
bool hc_diag_identity(int fd, uint32_t word, struct hc_identity *identity);

/* After a close: 1, some process still holds that socket; 0, none does; -1, the
 * kernel does not say. Opens a netlink socket and closes it again. */
int hc_diag_still_held(const struct hc_identity *identity);

#endif

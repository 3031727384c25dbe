/* The TCP sockets of a process's network namespace, as the kernel has them at this moment. */
#ifndef REVIEW_SOCKETS_NOW_H
#define REVIEW_SOCKETS_NOW_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include <halfclose/recording.h>

struct socket_now {
	uint64_t inode;
	uint64_t cookie; /* ~0: not known */
	struct hc_address local, peer;
	uint8_t state;   /* enum hc_state */
	bool eof_unread; /* in CLOSE-WAIT: the program has not read to the end of file */
	uint64_t unread; /* bytes; of a listener: connections that wait in its queue */
	uint64_t unsent; /* bytes that the peer has not acknowledged; of a listener: how many may wait, ~0: not known */
};

/* inode -> struct socket_now; freed by g_hash_table_unref(). NULL: they can't be
 * asked for, and *problem says why; freed by g_free(). */
GHashTable *sockets_now(pid_t pid, char **problem);

#endif

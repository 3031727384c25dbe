/*
 * HALFCLOSE_ONLY: key=value,…; terms of one key are alternatives, and every key
 * that is there must be met. Read anew from the environment's text each time:
 * it is asked once for each connection at most.
 */
#ifndef HALFCLOSE_ONLY_H
#define HALFCLOSE_ONLY_H

#include <halfclose/recording.h>

#include <stdbool.h>

bool hc_only_is_readable(const char *only);

/* exe=: a program's path, or its last part where the term has no slash. */
bool hc_only_program(const char *exe);

/* port= (N or N-M, of either side) and peer= (ADDRESS or ADDRESS/BITS). A v4
 * prefix also meets the v4-mapped addresses of IPv6 sockets. */
bool hc_only_has_names(void);
bool hc_only_connection(const struct hc_address *local, const struct hc_address *peer);

#endif

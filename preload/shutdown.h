/*
 * What is noted around a shutdown, for each of the ways to ask for it. Only for
 * a descriptor that is followed, while there is a recording.
 */
#ifndef HALFCLOSE_SHUTDOWN_H
#define HALFCLOSE_SHUTDOWN_H

#include "fdtab.h"
#include "probe.h"

enum hc_state hc_shutdown_begin(int fd);

/* Does a SHUT_RDWR in the graceful way, where that can be; then it has succeeded. */
bool hc_shutdown_put_off(int fd);

/* error: 0, or errno after the call. */
void hc_shutdown_done(int fd, int side, enum hc_state state, int error);

/* The kernel has taken this option. */
void hc_option_set(int fd, int level, int name, const void *value);

#endif

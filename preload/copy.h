/*
 * What follows a duplication, for each of the ways to ask for it.
 */
#ifndef HALFCLOSE_COPY_H
#define HALFCLOSE_COPY_H

#include "ending.h"

/* `to` is a new descriptor of what `from` is. */
void hc_copied(int from, int to);

/* Will a copy of it be made? Where nothing depends on it, true. */
bool hc_is_open(int fd);

/* The same where `to` may have been something: `ending` is its end, begun
 * before the call, or NULL; done: the call succeeded. */
void hc_copied_onto(int from, int to, bool done, struct hc_ending *ending);

/* The kernel has taken this message, or filled it: descriptors may have gone out
 * with it, or come in. */
void hc_sent(const struct msghdr *message);
void hc_received(const struct msghdr *message);

#endif

/*
 * Would another thread notice what happens to a descriptor: does one sit in a
 * call that waits for it? And does another process wait, for whatever it be? Read
 * from /proc, so only for what is rare.
 */
#ifndef HALFCLOSE_WAITING_H
#define HALFCLOSE_WAITING_H

#include <stdbool.h>

/* polled: the descriptor was put into an epoll set. True also where it can't be
 * told. Opens and closes files; errno stays. */
bool hc_waiting_for(int fd, bool polled);

/* Has another thread been woken up that did not run since, or does it run? False
 * also where it can't be told. Opens and closes files; errno stays. */
bool hc_others_are_on_their_way(void);

/* Does the first thread of a process run, or would if there were a processor for
 * it? False also where it can't be told. Opens and closes a file; errno stays. */
bool hc_runs(long pid);

#endif

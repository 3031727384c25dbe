/*
 * The epoll sets that the program uses. A set forgets a socket when its last
 * descriptor anywhere ends; one that lives on elsewhere must be taken out first,
 * or the program gets events for a descriptor that it closed.
 *
 * Lock-free and safe in signal handlers. errno stays as it was.
 */
#ifndef HALFCLOSE_POLLS_H
#define HALFCLOSE_POLLS_H

#include <stdbool.h>
#include <stdint.h>

/* A set came into being, or got another number. */
void hc_polls_born(int epoll);
void hc_polls_copied(int from, int to);

/* epoll_ctl() was called on this set and did what was asked for, with a descriptor
 * of a followed socket under the number fd. */
void hc_polls_note(int epoll, int operation, int fd);

/* Takes the descriptor out of all sets that it is in. */
void hc_polls_leave(int fd);

/* Is there a set that an exec would leave open? */
bool hc_polls_outlive_exec(void);

/* A number that may be in a set ended while the socket lives on: from outside
 * that number the socket can't be taken out of the set any more. */
void hc_polls_stray(uint64_t sock);
bool hc_polls_is_stray(uint64_t sock);

#endif

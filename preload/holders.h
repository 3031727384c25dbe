/*
 * Who else holds a socket: counts of descriptors, by socket and process, in a
 * small mapping that a family (a program and what it forks) shares.
 *
 * Only sockets that were duplicated or lived through a fork are in it; without
 * an entry, a process that has the socket has one descriptor of it. Lock-free
 * and safe in signal handlers; a full table makes answers doubtful, not wrong.
 */
#ifndef HALFCLOSE_HOLDERS_H
#define HALFCLOSE_HOLDERS_H

#include "process.h"

enum hc_holding {
	HC_HOLDING_none,    /* nobody else, as far as the family knows */
	HC_HOLDING_self,    /* another descriptor of this process: certain */
	HC_HOLDING_family,  /* a live process of the family, by its own account */
	HC_HOLDING_doubt,   /* one that executed another program meanwhile, or lives in another
	                     * PID namespace; or one of the family gave it away; or there
	                     * was no room to count it */
};

/* Makes the mapping and takes a place in it. False: no memory for it. */
bool hc_holders_init(void);

/* This process has one more descriptor of the socket. */
void hc_holders_copy(uint64_t sock);

/* Is it counted that this process has it? Not where another thread of its parent
 * made it while the fork was under way. */
bool hc_holders_counts(uint64_t sock);

/* This process has one fewer: who is left? */
enum hc_holding hc_holders_release(uint64_t sock);

/* As release, without the descriptor of the caller going: who else? */
enum hc_holding hc_holders_others(uint64_t sock);

/* Puts a released descriptor back: the call that was to end it failed. */
void hc_holders_undo(uint64_t sock);

/* The socket is in an epoll set under a number that has ended (polls.c). */
void hc_holders_mark_stray(uint64_t sock);
bool hc_holders_is_stray(uint64_t sock);

/* Before a fork: gives the child a place (family.h), as hc_family_take() does, and
 * counts all that it will hold. */
uint64_t hc_holders_fork(void);

/* A descriptor of the socket goes to holders that nobody counts: all that the
 * family knows to hold it are to doubt that they are the last. The second: all that
 * an exec does not end, with a child that is about to run another program; right in
 * a vfork child too. */
void hc_holders_pass(uint64_t sock);
void hc_holders_spawn(void);

#endif

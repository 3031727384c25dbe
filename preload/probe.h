/*
 * What only the kernel knows of a socket. Every question leaves errno as it
 * was, is none that changes the socket, and is not asked in a sandbox.
 */
#ifndef HALFCLOSE_PROBE_H
#define HALFCLOSE_PROBE_H

#include "verdict.h"

#include <halfclose/recording.h>

#include <sys/socket.h>

/* The facts that decide a TCP or unix close, read as late as can be.
 *
 * word: the entry's flags. full: also the byte counts of the connection's life,
 * which cost another question; without it they are asked for only where input
 * is unread. Returns false where fd is no socket of that kind: the table was
 * out of date. */
bool hc_probe_close(int fd, uint32_t word, bool full, struct hc_facts *facts);

/* The connection's state; HC_STATE_unknown where it can't be had. */
enum hc_state hc_probe_state(int fd, uint32_t word);

/* How much was written and is not acknowledged yet, or ~0. */
uint64_t hc_probe_unacked(int fd, uint32_t word);

/* This side's and the other side's address; family 0 where there is none. */
void hc_probe_local(int fd, struct hc_address *address);
void hc_probe_peer(int fd, struct hc_address *address);

/* A unix socket's bound path, without a NUL; returns its length, at most size. */
size_t hc_probe_unix_path(int fd, bool peer, char *path, size_t size);

/* true: SO_LINGER is on, with time 0. */
bool hc_probe_linger0(int fd);

/* SO_COOKIE, or ~0. */
uint64_t hc_probe_cookie(int fd);

/* What kind of socket an unknown descriptor is: HC_FD_* flags, or 0. */
uint32_t hc_probe_kind(int fd, bool want_unix);

/* true: exec would end this descriptor. */
bool hc_probe_close_on_exec(int fd);

/* Closes a socket of our own, known by its cookie (~0: not known), unless another
 * thread of the program has closed the number meanwhile. */
void hc_probe_close_own(int fd, uint64_t cookie);

/* An address as the program gave or got it; family 0 where it is not inet. */
void hc_address_from(struct hc_address *address, const struct sockaddr *from, socklen_t size);

#endif

/*
 * What follows a birth, for each of the ways in which a program can ask for it.
 * Each is called after the real call succeeded (or, for connect, was made), and
 * leaves errno as it was.
 */
#ifndef HALFCLOSE_BIRTH_H
#define HALFCLOSE_BIRTH_H

#include "crossing.h"
#include "fdtab.h"
#include "probe.h"

#include <netinet/in.h>

void hc_birth_socket(int fd, int domain, int type, int protocol);

/* since: hc_now() before the call; error: 0 or errno after it. */
void hc_birth_connect(int fd, const struct sockaddr *peer, socklen_t size, int error, uint64_t since);

/* peer: the other side's address as the kernel filled it in, so many bytes; 0
 * where that is not known, and it is asked for. */
void hc_birth_accept(int listener, int fd, const struct sockaddr *peer, socklen_t filled);

/* It listens now, if it did not before. */
void hc_birth_listener(int fd);

/* Takes in a descriptor of unknown origin if it is a socket that is followed. */
void hc_birth_adopt(int fd, enum hc_via via);

#endif

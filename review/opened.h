/*
 * What a recording knows of the connections that are open now: found for a socket of
 * the kernel's by its cookie, its two ends, or who holds it.
 */
#ifndef REVIEW_OPENED_H
#define REVIEW_OPENED_H

#include "connections.h"
#include "sockets_now.h"
#include "stacks.h"

struct opened;

/* NULL: it can't be read, which was told on standard error. */
struct opened *opened_read(const char *path);
void opened_free(struct opened *opened);

/* NULL: it is not in the recording. */
const struct connection *opened_find(const struct opened *opened, const struct socket_now *socket, pid_t pid, int fd);

/* What a descriptor is by the recording, whatever the kernel says; NULL: not in it. */
const struct connection *opened_held(const struct opened *opened, pid_t pid, int fd);

/* ns since it was born; ~0: not known, the recording is from another boot. */
uint64_t opened_age(const struct opened *opened, const struct connection *connection);
/* RFC 3339; freed by g_free(). */
char *opened_time(const struct opened *opened, const struct connection *connection);
/* Where the program opened it; NULL: no stack of that was recorded. Valid until the next call. */
const struct site *opened_site(struct opened *opened, const struct connection *connection);

#endif

/*
 * A socket goes to halfclose-drain, which reads on in the program's place and
 * outlives it. Nothing of it stays in the program: a connection for each, and
 * where there is no drain yet, one is started that is nobody's child.
 *
 * Not a cancellation point; blocks for a few ms at most. errno stays.
 */
#ifndef HALFCLOSE_HANDOVER_H
#define HALFCLOSE_HANDOVER_H

#include <halfclose/drain.h>

#include <stdbool.h>

/* In the constructor: where the drain's program is (NULL: beside the library),
 * and the recording's path, where there is one. Both are copied. */
void hc_handover_init(const char *program);
void hc_handover_recording(const char *path);

/* In the parent, before a fork: a drain that the child starts must not become
 * the parent's to wait for. errno stays. */
void hc_handover_fork(void);

/* Hands `fd` over, which stays open here. `message` is complete but for its
 * path. False: it was not taken, and nothing has happened to it. */
bool hc_handover(int fd, struct hc_drain_message *message);

/* The same for a socket that this thread's exec will end: it is handed over if
 * the exec happens. After one that failed, hc_handover_keep(). */
bool hc_handover_at_exec(int fd, struct hc_drain_message *message);
void hc_handover_keep(void);

#endif

/*
 * What one program knows of the sockets that it leaves to the next by an exec:
 * those of which it was certainly the only holder, so that the next one is. It
 * travels in the value of HALFCLOSE_GRACEFUL, behind a semicolon.
 */
#ifndef HALFCLOSE_INHERIT_H
#define HALFCLOSE_INHERIT_H

#include "text.h"

/* Begins the value's tail with the next such socket's cookie, or goes on. */
void hc_inherit_add(struct hc_text *tail, uint64_t cookie);

/* Where in an environment the variable is, or -1; how many there are. */
int hc_inherit_find(char *const envp[], size_t *count);

/* variable: the one that was found; *text becomes the same with the tail. False
 * where it does not fit. */
bool hc_inherit_join(const char *variable, const struct hc_text *tail, struct hc_text *text);

/* In the constructor: what came with the environment. The text must stay. */
void hc_inherit_read(char *const envp[]);
bool hc_inherit_is_only(uint64_t cookie);

#endif

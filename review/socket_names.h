/* What the files call a socket: each has a number for it, and several files may. */
#ifndef REVIEW_SOCKET_NAMES_H
#define REVIEW_SOCKET_NAMES_H

#include "connections.h"

/* The table in which sockets are found by their names; freed by g_hash_table_unref(). */
GHashTable *socket_names_table(void);

/* A name more; nothing has it yet. */
void socket_names_add(GHashTable *table, struct connection *connection, unsigned file, uint64_t sock);
struct connection *socket_names_find(GHashTable *table, unsigned file, uint64_t sock); /* NULL: nothing */

/* Two are one: what was `from` by name is `into` from here on. */
void socket_names_move(struct connection *into, struct connection *from);
void socket_names_forget(GHashTable *table, struct connection *connection);

#endif

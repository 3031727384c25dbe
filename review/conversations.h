/* Judging one connection, and finding the two recorded ends of one conversation. */
#ifndef REVIEW_CONVERSATIONS_H
#define REVIEW_CONVERSATIONS_H

#include "connections.h"

/* The table in which ends look for each other; freed by g_hash_table_unref(). */
GHashTable *conversations_table(void);
/* Call it when something became known of a connection: sets ->other of both ends. */
void conversations_join(GHashTable *table, struct connection *connection);
void conversations_forget(GHashTable *table, struct connection *connection);

/* Sets ->teardown. */
void conversations_judge(struct connection *connection);

#endif

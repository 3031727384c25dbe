/* What one event tells of the socket that it is about. */
#ifndef REVIEW_LEARN_H
#define REVIEW_LEARN_H

#include "connections.h"

/* listener: of an accept, where it was recorded; else NULL. Closes are not learnt here. */
void connection_learn(struct connection *connection, const struct event *event, const struct connection *listener);

#endif

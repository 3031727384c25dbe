/* One event -> one line; generic over events.def. */
#ifndef REVIEW_EVENT_PRINT_H
#define REVIEW_EVENT_PRINT_H

#include <glib.h>

#include "connections.h"
#include "stacks.h"

struct event_printer {
	struct connections *connections;
	struct processes *processes;
	struct stacks *stacks;
};

/* Each appends a line to `line`. connection: the socket that the event is about, or NULL. */
void event_to_json(struct event_printer *printer, const struct event *event, const struct connection *connection,
                   GString *line);
void event_to_text(struct event_printer *printer, const struct event *event, const struct connection *connection,
                   GString *line);

#endif

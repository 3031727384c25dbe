/* What can be found wrong with the end of a socket: one row for each kind. */
#ifndef REVIEW_RULES_H
#define REVIEW_RULES_H

#include "connections.h"

enum severity { SEVERITY_error, SEVERITY_warning, SEVERITY_note, SEVERITIES };

struct rule {
	const char *id;
	enum severity severity;
	bool (*applies)(const struct connection *connection);   /* to one that was judged */
	uint64_t (*bytes)(const struct connection *connection); /* that were lost; NULL: none */
	const char *lost;                                       /* what those bytes are */
	const char *title;                                      /* a line */
	const char *means;
	const char *peer; /* what the peer saw */
	const char *advice;
};

extern const struct rule rules[]; /* an id of NULL ends it */

const char *severity_name(enum severity severity);

#endif

/*
 * One finding -> one line on standard error, rate-limited by call site.
 */
#ifndef HALFCLOSE_WARN_H
#define HALFCLOSE_WARN_H

#include "verdict.h"

/* Remembers what file descriptor 2 is: only that one is ever written to. */
void hc_warn_init(void);

/* A line of the library's own, "halfclose: …", at the start of a program. */
void hc_complain(const char *line);

struct hc_warning {
	enum hc_how how;
	int fd;
	enum hc_outcome outcome;
	const struct hc_facts *facts;
	struct hc_address local, peer;
	const void *caller; /* the return address of the call; NULL: main has returned */
};
/* Counts the warning for its call site and writes it if it is one of the first
 * three there, or the 10th, 100th, 1000th … */
void hc_warn(const struct hc_warning *warning);

/* Is a warning of that call site due? (Counts it.) 0: no; else which it is. */
uint32_t hc_warn_due(const void *caller);

#endif

/* What the place that is written to can show. */
#ifndef REVIEW_TERMINAL_H
#define REVIEW_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "rules.h"

bool terminal_colour(FILE *out); /* https://no-color.org */
/* Columns and rows; where it is no terminal, 80 and 24. */
void terminal_size(FILE *out, unsigned *columns, unsigned *rows);
const char *terminal_severity(enum severity severity); /* the sequence of its colour */
bool terminal_is_utf8(void);                           /* by the locale's name */

#endif

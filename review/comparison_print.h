/* What became of findings, for people and for programs. */
#ifndef REVIEW_COMPARISON_PRINT_H
#define REVIEW_COMPARISON_PRINT_H

#include <stdio.h>

#include "comparison.h"

/* It was judged; least: the severity from which on a change counts as worse. */
void comparison_to_text(const struct comparison *comparison, enum severity least, FILE *out);
void comparison_to_json(const struct comparison *comparison, enum severity least, FILE *out);

/* New ones, and those that are more frequent. */
unsigned comparison_worse(const struct comparison *comparison, enum severity least);

#endif

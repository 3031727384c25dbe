/* Text for a page of so many columns. */
#ifndef REVIEW_PARAGRAPH_H
#define REVIEW_PARAGRAPH_H

#include "symbols.h"

/* All return new text. Columns are counted in characters. */
char *paragraph_wrap(const char *label, const char *text, unsigned columns); /* ends with a newline */
char *paragraph_cut(const char *text, unsigned columns);                     /* safe to print, "..." where it was cut */
char *paragraph_frame(const struct frame *frame);

#endif

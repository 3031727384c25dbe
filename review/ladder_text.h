/* A ladder on a page of so many columns: a row for each step. */
#ifndef REVIEW_LADDER_TEXT_H
#define REVIEW_LADDER_TEXT_H

#include <glib.h>

#include "ladder.h"

#define LADDER_COLUMNS 80u /* it is drawn for at least so many */

struct ladder_style {
	unsigned columns;
	bool colour, utf8;
};

void ladder_to_text(const struct ladder *ladder, const struct ladder_style *style, GString *page);

#endif

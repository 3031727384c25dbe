/* The page that `top` shows: as much of it as there is room for, the most important first. */
#ifndef REVIEW_TOP_PAGE_H
#define REVIEW_TOP_PAGE_H

#include "top.h"

struct top_view {
	unsigned columns, rows; /* rows 0: as many as it takes */
	bool colour, utf8;
	const char *title;   /* the file's name */
	const char *message; /* what became of the files; NULL: nothing */
	uint64_t now;        /* order; 0: there is no now, the whole recording is meant */
};

/* The rows, each within the columns and ended by `newline` but the last. */
void top_page(const struct top *top, const struct top_view *view, const char *newline, GString *page);

#endif

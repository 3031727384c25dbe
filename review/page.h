/* The page of the HTML report: its parts are the files in review/page/. */
#ifndef REVIEW_PAGE_H
#define REVIEW_PAGE_H

#include <glib.h>
#include <stdio.h>

/* `json` may hold anything: it can't end the element that it stands in. */
void page_write(FILE *out, const GString *json);

#endif

/* What the page's filters act on: kinds, groups, and all connections or cells of them. */
#ifndef REVIEW_PAGE_NUMBERS_H
#define REVIEW_PAGE_NUMBERS_H

#include "json.h"
#include "rows.h"

/* Adds members to an object. `shown` of the findings are in the page; orders count
 * from `first`. */
void page_numbers(struct json *json, struct cells *cells, const struct rows *rows, const GPtrArray *findings,
                  unsigned shown, uint64_t first);

#endif

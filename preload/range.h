/*
 * The end of many descriptors by one call.
 */
#ifndef HALFCLOSE_RANGE_H
#define HALFCLOSE_RANGE_H

#include <halfclose/recording.h>

/* Before the real call: ends the followed descriptors in [first, last] one by
 * one, each judged; flags are close_range's. */
void hc_end_range(unsigned first, unsigned last, int flags, enum hc_how how, const void *caller);

#endif

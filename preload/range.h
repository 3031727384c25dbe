/*
 * The end of many descriptors by one call.
 */
#ifndef HALFCLOSE_RANGE_H
#define HALFCLOSE_RANGE_H

#include <halfclose/recording.h>

/* Ends the followed descriptors in [first, last] and all numbers before the last
 * of them, each judged. Returns where the real call is to go on; flags are
 * close_range's. errno stays. */
unsigned hc_end_range(unsigned first, unsigned last, int flags, enum hc_how how, const void *caller);

#endif

/*
 * Who called: return addresses and the files that they lie in. Names are made
 * of them later, in the review, and never here.
 *
 * The unwinder is the compiler's own, linked statically and hidden. It takes
 * the loader's word by _dl_find_object(), which locks nothing.
 */
#ifndef HALFCLOSE_STACK_H
#define HALFCLOSE_STACK_H

#include <halfclose/recording.h>

#include "python.h"

enum { HC_STACK_MAX = 64 + HC_PYTHON_FRAMES };

/* Notes where the library itself lies, whose frames are left out. */
void hc_stack_init(void);

/* Fills frames (HC_STACK_MAX of them), innermost first, at most max, and behind them
 * the Python callers; records the modules and scripts that were not recorded yet.
 * Returns how many. */
size_t hc_stack_take(struct hc_frame *frames, size_t max);

/* The file that holds an address and the offset in it; a NULL path where there
 * is none. The path is the loader's and stays as long as the file is loaded. */
struct hc_place {
	const char *path;
	uint64_t offset;
};
struct hc_place hc_stack_place(const void *address);

#endif

/*
 * A whole terminal, for as long as it is wanted: the alternate screen, no echo, each
 * frame by one write. However the program ends, but by SIGKILL, the terminal is given
 * back as it was.
 *
 * No curses: a frame is drawn anew each second, and what that needs every terminal has
 * understood since the VT100; a TERM that the machine at hand has no entry for, as so
 * often over ssh or in a container, does not matter.
 */
#ifndef REVIEW_SCREEN_H
#define REVIEW_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

bool screen_is_there(void); /* is standard output a terminal, and not a dumb one? */
bool screen_open(void);     /* false: it is not, and nothing was done */
void screen_close(void);    /* once more: nothing */

/* False: it can't be written to any more. */
bool screen_draw(const char *frame, size_t size);

enum screen_wake {
	SCREEN_TIME,    /* it is over */
	SCREEN_KEY,     /* *key was pressed */
	SCREEN_CHANGED, /* it has another size, or was ours no more for a while */
	SCREEN_END,     /* a signal ended it, or the terminal is gone */
};
enum screen_wake screen_wait(unsigned milliseconds, char *key);

#endif

/*
 * The Python callers of the calling thread, where the program is a CPython whose
 * memory is known: 3.11. To a stack they are what the interpreter's frames are not.
 *
 * The interpreter is not asked to do anything: one public function of its own says
 * where it keeps the state of this thread (it reads a thread's own key: no lock, no
 * reference count), and what hangs on that is only read. It is this thread's own, and
 * stays as it is while the thread is in our call. Each pointer is tried before it is
 * followed, and each object must be of the type that is expected: what is not as
 * known ends the walk.
 */
#ifndef HALFCLOSE_PYTHON_H
#define HALFCLOSE_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HC_PYTHON_FRAMES = 16, HC_PYTHON_TEXT = 400 };

struct hc_python_frame {
	uint32_t line;
	size_t path_size, function_size;
	char path[HC_PYTHON_TEXT], function[HC_PYTHON_TEXT]; /* UTF-8, cut where they are longer */
};

/* A walk over them, innermost first. */
struct hc_python_walk {
	uintptr_t frame;      /* the next; 0: there is none */
	uintptr_t pages[8];   /* that can be read */
	unsigned next, steps; /* of pages; taken so far */
};

void hc_python_begin(struct hc_python_walk *walk);
bool hc_python_next(struct hc_python_walk *walk, struct hc_python_frame *frame);

#endif

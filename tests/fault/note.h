/*
 * What the faulty build tells whoever set the fault: a file that is mapped, so
 * that no descriptor and no system call is in the host's way.
 */
#ifndef NOTE_H
#define NOTE_H

#include <stdint.h>

struct note {
	uint32_t calls; /* the most that one process made */
	uint32_t fired; /* how many were refused, in all processes */
	char name[32];  /* the last of them */
};

#endif

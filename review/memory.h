/* Another process's memory, read while it runs. */
#ifndef REVIEW_MEMORY_H
#define REVIEW_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Needs the right to trace it. Returns how many bytes there were, at most size. */
size_t memory_read(pid_t pid, uint64_t address, void *to, size_t size);

#endif

#include "memory.h"

#include <sys/uio.h>

size_t memory_read(pid_t pid, uint64_t address, void *to, size_t size)
{
	/* cppcheck-suppress ctuuninitvar ; it is the kernel that fills it */
	struct iovec here = { to, size }, there = { (void *)(uintptr_t)address, size };
	ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

	return n > 0 ? (size_t)n : 0;
}

/*
 * What all fuzz targets share. A target is one file, fuzz_NAME.c, that defines
 * LLVMFuzzerTestOneInput: `make fuzz` links it with libFuzzer, the tests with
 * replay.c, which feeds it the files of corpus/NAME.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any input. A crash is what a fuzzer understands. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: must be, and is not: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A file without a name on any disk, one for each `which`; returns its path. */
static inline const char *file_of(unsigned which, const void *bytes, size_t size)
{
	static int fds[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	static char paths[8][40];
	size_t done = 0;

	if (fds[which] < 0) {
		fds[which] = memfd_create("fuzz", MFD_CLOEXEC);
		MUST(fds[which] >= 0 && fchmod(fds[which], 0755) == 0);
		snprintf(paths[which], sizeof(paths[which]), "/proc/self/fd/%d", fds[which]);
	}
	MUST(ftruncate(fds[which], 0) == 0);
	while (done < size) {
		ssize_t n = pwrite(fds[which], (const char *)bytes + done, size - done, (off_t)done);

		MUST(n > 0);
		done += (size_t)n;
	}
	return paths[which];
}

#endif

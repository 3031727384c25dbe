/*
 * fuzz_NAME FILE...: feeds files to a fuzz target, without a fuzzer. Ends by a
 * signal where one of them finds something.
 */
#include "fuzz.h"

#include <glib.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		uint8_t *exact;
		char *bytes;
		gsize size;

		if (!g_file_get_contents(argv[i], &bytes, &size, NULL)) {
			fprintf(stderr, "%s: can't be read\n", argv[i]);
			return 2;
		}
		exact = malloc(size); /* no byte behind the last: a sanitizer sees each read beyond it */
		if (size)
			memcpy(exact, bytes, size);
		g_free(bytes);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	return 0;
}

/*
 * A program's file, before it is run: can the library be loaded into it? The
 * input is the file: an ELF header and its segments, or a script's first line.
 */
#include "fuzz.h"

#include <glib.h>

#include "program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = file_of(0, data, size);
	char *who = NULL, *obstacle = program_obstacle(path, "/proc/self/exe", &who);

	MUST(!obstacle == !who);
	if (obstacle) {
		MUST(g_utf8_validate(obstacle, -1, NULL));
		MUST(*who);
	}
	g_free(obstacle);
	g_free(who);
	obstacle = program_obstacle("/proc/self/exe", path, &who); /* and as the library */
	g_free(obstacle);
	g_free(who);
	return 0;
}

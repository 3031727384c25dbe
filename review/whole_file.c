#include "whole_file.h"

#include <errno.h>
#include <stdio.h>

GString *whole_file_read(const char *path, size_t most, char **problem)
{
	FILE *file = fopen(path, "re");
	GString *text;
	char piece[4096];
	size_t size;

	*problem = file ? NULL : g_strdup(g_strerror(errno));
	if (!file)
		return NULL;
	text = g_string_new(NULL);
	do {
		size = fread(piece, 1, sizeof(piece), file);
		g_string_append_len(text, piece, (gssize)size);
	} while (size == sizeof(piece) && text->len <= most);
	if (ferror(file))
		*problem = g_strdup(g_strerror(errno));
	else if (text->len > most)
		*problem = g_strdup("is too large");
	fclose(file);
	if (!*problem)
		return text;
	g_string_free(text, TRUE);
	return NULL;
}

#include "source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST (16u << 20) /* bytes; no source is larger */
#define LINE_MOST 240u        /* bytes of a line that are taken */

static bool is_newer(const struct stat *source, const char *module, uint64_t ran)
{
	struct stat status;

	if (!module)
		return source->st_mtime > (time_t)(ran / 1000000000u);
	return stat(module, &status) == 0 && source->st_mtime > status.st_mtime;
}

/* Never a device or a pipe, which would have effects or no end. */
static char *read_source(const char *path, const char *module, uint64_t ran, gsize *size, bool *newer)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char *text = NULL;
	gssize got = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_MOST) {
		text = g_malloc((gsize)status.st_size + 1);
		got = pread(fd, text, (gsize)status.st_size, 0);
		*newer = is_newer(&status, module, ran);
	}
	close(fd);
	if (got < 0) {
		g_free(text);
		return NULL;
	}
	*size = (gsize)got;
	return text;
}

/* Tries that path; the last one tried is in *path. */
static char *try_source(const struct frame *frame, const char *directory, uint64_t ran, gsize *size, bool *newer,
                        char **path)
{
	g_free(*path);
	*path = directory ? g_build_filename(directory, frame->file, NULL) : g_strdup(frame->file);
	return read_source(*path, frame->module, ran, size, newer);
}

/* What the compiler was told may be relative to a directory that nobody knows: it is
 * looked for below the root, here, and beside the program and above it. */
static char *find_source(const struct frame *frame, const struct source_place *place, gsize *size, bool *newer,
                         char **path)
{
	bool absolute = g_path_is_absolute(frame->file);
	char *text = NULL, *directory;

	if (place->root && !absolute)
		text = try_source(frame, place->root, place->ran, size, newer, path);
	if (!text)
		text = try_source(frame, NULL, place->ran, size, newer, path);
	if (text || absolute || !frame->module)
		return text;
	directory = g_path_get_dirname(frame->module);
	for (unsigned up = 0; up < 3 && !text && strcmp(directory, "/") != 0; up++) {
		char *above = g_path_get_dirname(directory);

		text = try_source(frame, directory, place->ran, size, newer, path);
		g_free(directory);
		directory = above;
	}
	g_free(directory);
	return text;
}

static char *line_text(const char *line, gsize size)
{
	if (size && line[size - 1] == '\r')
		size--;
	return g_strndup(line, MIN(size, LINE_MOST));
}

/* The lines first … last; NULL where there is no line `wanted`. */
static GPtrArray *lines_of(const char *text, gsize size, unsigned first, unsigned wanted, unsigned last)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	const char *end = text + size;
	unsigned number = 1;

	for (const char *line = text; line < end && number <= last; number++) {
		const char *stop = memchr(line, '\n', (gsize)(end - line));

		if (!stop)
			stop = end;
		if (number >= first)
			g_ptr_array_add(lines, line_text(line, (gsize)(stop - line)));
		line = stop + 1;
	}
	if (first + lines->len > wanted)
		return lines;
	g_ptr_array_unref(lines);
	return NULL;
}

struct excerpt *source_excerpt(const struct frame *frame, const struct source_place *place, unsigned around)
{
	struct excerpt *excerpt;
	GPtrArray *lines;
	char *path = NULL, *text;
	bool newer = false;
	gsize size = 0;
	unsigned first;

	if (!frame->file || !frame->line || frame->line > UINT_MAX - around)
		return NULL;
	first = frame->line > around ? frame->line - around : 1;
	text = find_source(frame, place, &size, &newer, &path);
	lines = text ? lines_of(text, size, first, frame->line, frame->line + around) : NULL;
	g_free(text);
	if (!lines) {
		g_free(path);
		return NULL;
	}
	excerpt = g_new(struct excerpt, 1);
	*excerpt = (struct excerpt){ path, first, lines, newer };
	return excerpt;
}

void excerpt_free(struct excerpt *excerpt)
{
	if (!excerpt)
		return;
	g_free(excerpt->path);
	g_ptr_array_unref(excerpt->lines);
	g_free(excerpt);
}

/*
 * The file has no name while it is written (O_TMPFILE), so that a program that is
 * killed leaves nothing behind. File systems without that have a name of chance.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

#define TRIES 100

static bool failed(const struct output *output, int error)
{
	complain("%s: %s", output->path, g_strerror(error));
	return false;
}

/* Where the file shall be in the end; new text. */
static char *target_of(const char *path)
{
	char *resolved = realpath(path, NULL), *target = g_strdup(resolved ? resolved : path);

	free(resolved);
	return target;
}

static char *beside(const char *target)
{
	return g_strdup_printf("%s.%08x", target, g_random_int());
}

static int open_temporary(struct output *output, const char *target)
{
	char *directory = g_path_get_dirname(target);
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	g_free(directory);
	if (fd >= 0)
		return fd;
	for (unsigned tries = 0; tries < TRIES; tries++) {
		output->temporary = beside(target);
		fd = open(output->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		g_clear_pointer(&output->temporary, g_free);
		if (errno != EEXIST)
			break;
	}
	return -1;
}

bool output_open(struct output *output, const char *path)
{
	struct stat status;
	char *target;
	int fd;

	*output = (struct output){ .path = path };
	output->in_place = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
	if (output->in_place) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		target = target_of(path);
		fd = open_temporary(output, target);
		g_free(target);
	}
	if (fd < 0)
		return failed(output, errno);
	output->file = fdopen(fd, "w");
	return true;
}

/* Gives a file without a name one. */
static bool name_it(struct output *output, const char *target)
{
	char *link = g_strdup_printf("/proc/self/fd/%d", fileno(output->file));

	for (unsigned tries = 0; tries < TRIES && !output->temporary; tries++) {
		char *name = beside(target);

		if (linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
			output->temporary = name;
			break;
		}
		g_free(name);
		if (errno != EEXIST)
			break;
	}
	g_free(link);
	return output->temporary != NULL;
}

bool output_commit(struct output *output)
{
	char *target = target_of(output->path);
	int error = 0;

	errno = EIO;
	if (fflush(output->file) != 0 || ferror(output->file))
		error = errno;
	else if (!output->in_place && !output->temporary && !name_it(output, target))
		error = errno;
	else if (!output->in_place && rename(output->temporary, target) != 0)
		error = errno;
	if (!error)
		g_clear_pointer(&output->temporary, g_free);
	output_discard(output);
	g_free(target);
	return error ? failed(output, error) : true;
}

void output_discard(struct output *output)
{
	if (output->file)
		fclose(output->file);
	output->file = NULL;
	if (output->temporary)
		g_unlink(output->temporary);
	g_clear_pointer(&output->temporary, g_free);
}

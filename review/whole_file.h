/* A file of text that is small enough to be read at once. */
#ifndef REVIEW_WHOLE_FILE_H
#define REVIEW_WHOLE_FILE_H

#include <glib.h>

/* NULL: it can't be read, or has more than `most` bytes (as /dev/zero has); *problem
 * is why, new text. */
GString *whole_file_read(const char *path, size_t most, char **problem);

#endif

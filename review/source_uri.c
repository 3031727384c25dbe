#include "source_uri.h"

#include <glib.h>
#include <string.h>

/* Only what needs no escape in any place of a path; a colon would look like a scheme. */
static char *escape(const char *path)
{
	return g_uri_escape_bytes((const guint8 *)path, strlen(path), "/"); /* NOLINT: what glib made is not NULL */
}

/* What is behind `root/`; NULL: it is not below. */
static const char *below_root(const char *path, const char *root)
{
	size_t length;

	if (!root)
		return NULL;
	length = strlen(root);
	while (length && root[length - 1] == '/')
		length--;
	return !strncmp(path, root, length) && path[length] == '/' && path[length + 1] ? path + length + 1 : NULL;
}

static char *with_scheme(const char *path, const char *end)
{
	char *escaped = escape(path), *uri = g_strconcat("file://", escaped, end, NULL);

	g_free(escaped);
	return uri;
}

char *source_uri(const char *path, const char *root, bool *below)
{
	char *plain = g_canonicalize_filename(path, "/"); /* no "." and "..", which a compiler's paths are full of */
	const char *rest = *path == '/' ? below_root(plain, root) : plain + 1;
	char *uri;

	*below = rest != NULL;
	uri = rest ? escape(rest) : with_scheme(plain, "");
	g_free(plain);
	return uri;
}

char *source_root_uri(const char *root)
{
	return with_scheme(root, g_str_has_suffix(root, "/") ? "" : "/");
}

#include "terminal.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && !(term && !strcmp(term, "dumb")) && isatty(fileno(out));
}

const char *terminal_severity(enum severity severity)
{
	static const char *const colours[] = { "\033[1;31m", "\033[33m", "\033[36m" };

	return colours[severity];
}

void terminal_size(FILE *out, unsigned *columns, unsigned *rows)
{
	struct winsize size = { 0 };

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
		size.ws_col = size.ws_row = 0;
	*columns = size.ws_col ? size.ws_col : 80;
	*rows = size.ws_row ? size.ws_row : 24;
}

bool terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;
	bool is;
	char *lower;

	/* the first that is set decides, as in setlocale(); the program's own locale is another */
	for (unsigned i = 0; i < G_N_ELEMENTS(names) && !(value && *value); i++)
		value = getenv(names[i]);
	if (!value)
		return false;
	lower = g_ascii_strdown(value, -1);
	is = strstr(lower, "utf-8") || strstr(lower, "utf8");
	g_free(lower);
	return is;
}

#include "progress.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

#define INTERVAL 100000u /* us between two updates */

int64_t progress_delay = 1000000;

void progress_begin(struct progress *progress, FILE *out)
{
	const char *term = g_getenv("TERM");

	progress->on = isatty(STDERR_FILENO) && !(out && isatty(fileno(out))) && term && strcmp(term, "dumb") != 0;
	progress->next = (uint64_t)(g_get_monotonic_time() + progress_delay);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t all)
{
	uint64_t now;

	if (!progress->on || !all)
		return;
	now = (uint64_t)g_get_monotonic_time();
	if (now < progress->next)
		return;
	progress->next = now + INTERVAL;
	say_status("%.0f %% of %.0f MB read", 100.0 * (double)MIN(done, all) / (double)all, (double)all / 1e6);
}

void progress_end(struct progress *progress)
{
	if (progress->on)
		say_status(NULL);
}

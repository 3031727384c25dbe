#include "inherit.h"

#include "process.h"

#include <string.h>

static const char name[] = "HALFCLOSE_GRACEFUL=";

enum { SOCKETS = 64 };

/* A word that is older was not meant for us: it lay in the environment of a
 * process that went before. */
#define FRESH UINT64_C(10000000000)

static uint64_t cookies[SOCKETS];
static unsigned known;

void hc_inherit_add(struct hc_text *tail, uint64_t cookie)
{
	if (!tail->used) {
		/* an exec keeps the process id, and nothing else does */
		hc_put(tail, ";");
		hc_put_number(tail, (uint64_t)hc_self.pid);
		hc_put(tail, ",");
		hc_put_number(tail, hc_now());
	}
	hc_put(tail, ",");
	hc_put_number(tail, cookie);
}

int hc_inherit_find(char *const envp[], size_t *count)
{
	int found = -1;
	for (*count = 0; envp && envp[*count]; ++*count)
		if (!strncmp(envp[*count], name, sizeof name - 1))
			found = (int)*count;
	return found;
}

bool hc_inherit_join(const char *variable, const struct hc_text *tail, struct hc_text *text)
{
	size_t length = strcspn(variable, ";");
	if (length + tail->used >= sizeof text->bytes || tail->used + 25 >= sizeof tail->bytes)
		return false;
	text->used = 0;
	hc_put_bytes(text, variable, length);
	hc_put_bytes(text, tail->bytes, tail->used);
	text->bytes[text->used] = '\0';
	return true;
}

void hc_inherit_read(char *const envp[])
{
	size_t count;
	int at = hc_inherit_find(envp, &count);
	const char *text = at >= 0 ? strchr(envp[at], ';') : NULL;
	uint64_t pid, written, cookie, now = hc_now();
	if (!text || !hc_read_digits(text + 1, &text, &pid) || pid != (uint64_t)hc_self.pid || *text != ',' ||
	    !hc_read_digits(text + 1, &text, &written) || written > now || now - written > FRESH)
		return;
	while (known < SOCKETS && *text == ',' && hc_read_digits(text + 1, &text, &cookie))
		cookies[known++] = cookie;
}

bool hc_inherit_is_only(uint64_t cookie)
{
	for (unsigned i = 0; i < known; i++)
		if (cookies[i] == cookie)
			return true;
	return false;
}

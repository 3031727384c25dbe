/*
 * Hosts that would notice a graceful close: what they say is the same as under a
 * bare one, but for the lines that begin with "wire".
 *
 *   host NAME [ARGUMENT]
 */
#include "asleep.h"
#include "loads.h"
#include "handing.h"
#include "polls.h"
#include "rdwr.h"
#include "selves.h"
#include "survivors.h"
#include "wire.h"

static const struct {
	const char *name;
	void (*run)(const char *argument);
} modes[] = {
	{ "returns", returns },
	{ "poll", poll_one },
	{ "nested", poll_nested },
	{ "reused", poll_reused },
	{ "copied", poll_copied },
	{ "set-copied", poll_set_copied },
	{ "forked", poll_forked },
	{ "threads", poll_threads },
	{ "signals", signals },
	{ "bind", bind_again },
	{ "time-wait", time_wait },
	{ "self", self },
	{ "crowd", crowd },
	{ "rebind", rebind },
	{ "hands", hands },
	{ "hands-quietly", hands_quietly },
	{ "moves", moves },
	{ "answers", answers },
	{ "rarely", rarely },
	{ "stay", stay },
	{ "peers", peers },
	{ "cgi", cgi },
	{ "wire", wire },
	{ "meanwhile", meanwhile },
	{ "rdwr", rdwr },
	{ "rdwr-read", rdwr_read },
	{ "reader", reader },
	{ "writer", writer },
	{ "writer-at-exit", writer_at_exit },
	{ "survives", survives },
	{ "talker", talker },
	{ "storm", storm },
};

int main(int argc, char **argv)
{
	alarm(100);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
		if (!strcmp(argv[1], modes[i].name)) {
			modes[i].run(argc > 2 ? argv[2] : "");
			return 0;
		}
	return 2;
}

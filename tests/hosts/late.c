/*
 * Calls before the library's constructor can have run and after main: from
 * DT_PREINIT_ARRAY, constructors, atexit handlers and destructors.
 */
#include "net.h"

static struct pair early, left, last;
static struct meeting at;

static void before_all(void)
{
	at = meeting(5, 0);
	early = unread(&at);
	left = unread(&at);
	close(early.mine);
}
static __attribute__((section(".preinit_array"), used)) void (*const first)(void) = before_all;

static __attribute__((constructor)) void constructed(void)
{
	say("before all: %s\n", other_end(early.peer));
	struct pair p = unread(&at);
	close(p.mine);
	say("constructor: %s\n", other_end(p.peer));
}

static __attribute__((destructor)) void destructed(void)
{
	close(last.mine);
	say("destructor: %s\n", other_end(last.peer));
	close(left.mine);
	say("destructor: %s\n", other_end(left.peer));
}

static void at_exit(void)
{
	struct pair p = unread(&at);
	last = unread(&at);
	close(p.mine);
	say("atexit: %s\n", other_end(p.peer));
}

int main(void)
{
	atexit(at_exit);
	return 0;
}

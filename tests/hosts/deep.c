/*
 * Plugins that are bound to libc past every preloaded library (RTLD_DEEPBIND),
 * and that have a libc of their own (dlmopen): what they do can't be seen, and
 * what the program does afterwards with the same numbers has to be right.
 *
 *   deep PLUGIN.so
 */
#include "net.h"

#include <dlfcn.h>

static struct meeting at;

static void use(void *handle)
{
	int (*run)(int fd);
	struct pair p = unread(&at);
	if (!handle)
		errx(2, "%s", dlerror());
	void *found = dlsym(handle, "run_deep");
	memcpy(&run, &found, sizeof run);
	say("%d\n", run(p.mine) == p.mine);
	say("  %s\n", other_end(p.peer));
	int file = open("/dev/null", O_RDWR);
	say("%d %d\n", file == p.mine, close(file));
	struct pair q = unread(&at);
	say("%d %d\n", q.peer == p.mine, close(q.mine));
	say("  %s\n", other_end(q.peer));
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	at = meeting(5, 0);
	use(dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));
	use(dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW | RTLD_LOCAL));
	return 0;
}

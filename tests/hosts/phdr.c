/*
 * Ends inside a callback of dl_iterate_phdr, which holds the loader's lock: by
 * the thread that has it, and by another one for which the callback waits.
 */
#include "net.h"

#include <link.h>
#include <pthread.h>

static struct meeting at;

static void *end_one(void *unused)
{
	struct pair p = unread(&at);
	close(p.mine);
	say("  %s\n", other_end(p.peer));
	return unused;
}

static int see(struct dl_phdr_info *info, size_t size, void *data)
{
	pthread_t thread;
	(void)info;
	(void)size;
	(void)data;
	end_one(NULL);
	must(!pthread_create(&thread, NULL, end_one, NULL), "pthread_create");
	must(!pthread_join(thread, NULL), "pthread_join");
	return 1;
}

int main(void)
{
	alarm(150); /* a hang ends in SIGALRM */
	at = meeting(5, 0);
	say("%d\n", dl_iterate_phdr(see, NULL));
	return 0;
}

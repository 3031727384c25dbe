/*
 * Ends a connection, and has others of its own: by whatever close its loader
 * bound it to.
 */
#include "../net.h"

int run_deep(int fd);
int run_deep(int fd)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at), q = unread(&at);
	dup2(q.mine, fd);
	close(fd);
	close(p.mine);
	close(q.mine);
	close(at.listener);
	say("  %s ", other_end(p.peer));
	say("%s\n", other_end(q.peer));
	return fd;
}

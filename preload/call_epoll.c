/*
 * Which epoll sets there are, and what is in them: only for graceful ends.
 */
#include "fdtab.h"
#include "options.h"
#include "polls.h"

HC_HOOK int epoll_create(int size)
{
	hc_libc_need();
	int set = hc_libc.epoll_create(size);
	if (unlikely(hc_options.GRACEFUL && set >= 0))
		hc_polls_born(set);
	return set;
}

HC_HOOK int epoll_create1(int flags)
{
	hc_libc_need();
	int set = hc_libc.epoll_create1(flags);
	if (unlikely(hc_options.GRACEFUL && set >= 0))
		hc_polls_born(set);
	return set;
}

HC_HOOK int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	hc_libc_need();
	int result = hc_libc.epoll_ctl(set, operation, fd, event);
	if (unlikely(hc_options.GRACEFUL && !result && hc_fd_word(fd)))
		hc_polls_note(set, operation, fd);
	return result;
}

#include "calls.h"

void test_abort(void)
{
	CHILD(p_abort());
}

void test_epoll_create(void)
{
	TRY(p_epoll_create(0));
	TRY(p_epoll_create(-1));
	int set;
	TRY(set = p_epoll_create(1));
	TRY(close(set));
}

void test_epoll_create1(void)
{
	TRY(p_epoll_create1(-1));
	int set;
	TRY(set = p_epoll_create1(EPOLL_CLOEXEC));
	TRY(fcntl(set, F_GETFD));
	TRY(close(set));
}

void test_epoll_ctl(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC), fd = socket(AF_INET, SOCK_STREAM, 0), file = open("/etc/passwd", O_RDONLY);
	TRY(p_epoll_ctl(-1, EPOLL_CTL_ADD, fd, &event));
	TRY(p_epoll_ctl(fd, EPOLL_CTL_ADD, fd, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_ADD, -1, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_ADD, file, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_ADD, set, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_ADD, fd, NULL));
	TRY(p_epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
	TRY(p_epoll_ctl(set, 99, fd, &event));
	TRY(p_epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	TRY(p_epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	close(set), close(fd), close(file);
}

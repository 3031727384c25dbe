/*
 * A descriptor in a message.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include "pair.h"

static inline void send_right(int to, int fd)
{
	union { char bytes[CMSG_SPACE(sizeof fd)]; struct cmsghdr aligned; } control = { 0 };
	struct iovec text = { .iov_base = (char[]){ "" }, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof control };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(part), &fd, sizeof fd);
	check(sendmsg(to, &message, 0), "sendmsg");
}

static inline int receive_right(int from)
{
	int fd;
	char byte;
	union { char bytes[CMSG_SPACE(sizeof fd)]; struct cmsghdr aligned; } control;
	struct iovec text = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof control };
	if (recvmsg(from, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		errx(2, "recvmsg: no right came");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

#endif

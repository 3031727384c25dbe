/*
 * Another preloaded library that looks for no real function: it calls libc by
 * its other names; or, with BY_NUMBER, by their system calls. Behind ours, each
 * call comes by us twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef BY_NUMBER
int close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

int connect(int fd, const struct sockaddr *peer, socklen_t size)
{
	return (int)syscall(SYS_connect, fd, peer, size);
}

int accept(int fd, struct sockaddr *peer, socklen_t *size)
{
	return (int)syscall(SYS_accept4, fd, peer, size, 0);
}

int accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags)
{
	return (int)syscall(SYS_accept4, fd, peer, size, flags);
}

int socket(int domain, int type, int protocol)
{
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int listen(int fd, int backlog)
{
	return (int)syscall(SYS_listen, fd, backlog);
}

int shutdown(int fd, int side)
{
	return (int)syscall(SYS_shutdown, fd, side);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return syscall(SYS_recvmsg, fd, message, flags);
}

int dup(int fd)
{
	return (int)syscall(SYS_dup, fd);
}

int dup2(int from, int to)
{
	return (int)(from == to ? syscall(SYS_fcntl, from, F_GETFD) < 0 ? -1 : to : syscall(SYS_dup3, from, to, 0));
}

#else
int __close(int fd);
int __connect(int fd, const struct sockaddr *peer, socklen_t size);
int __dup2(int from, int to);
int __fcntl(int fd, int command, ...);
pid_t __fork(void);
int _IO_fclose(FILE *stream);
FILE *_IO_popen(const char *command, const char *mode);

int close(int fd)
{
	return __close(fd);
}

int connect(int fd, const struct sockaddr *peer, socklen_t size)
{
	return __connect(fd, peer, size);
}

int dup2(int from, int to)
{
	return __dup2(from, to);
}

int own_fcntl(int fd, int command, void *argument) __asm__("fcntl");
int own_fcntl(int fd, int command, void *argument)
{
	return __fcntl(fd, command, argument);
}

pid_t fork(void)
{
	return __fork();
}

int fclose(FILE *stream)
{
	return _IO_fclose(stream);
}

FILE *popen(const char *command, const char *mode)
{
	return _IO_popen(command, mode);
}
#endif

/*
 * Ways to end a descriptor, and several descriptors of one socket.
 */
#ifndef WAYS_DESCRIPTORS_H
#define WAYS_DESCRIPTORS_H

#include "ways_alone.h"

static int null_device(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	check(fd, "/dev/null");
	return fd;
}

static void copied(struct pair p, int copy)
{
	check(copy, "copy");
	close(p.mine);
	close(copy);
	peer_closes(&p);
}
static void dup_closed(enum kind kind) { struct pair p = unread(kind); copied(p, dup(p.mine)); }
static void dupfd_closed(enum kind kind) { struct pair p = unread(kind); copied(p, fcntl(p.mine, F_DUPFD, 100)); }
static void dupfd_cloexec(enum kind kind)
{
	struct pair p = unread(kind);
	copied(p, fcntl(p.mine, F_DUPFD_CLOEXEC, 100));
}
static void dup2_closed(enum kind kind) { struct pair p = unread(kind); copied(p, dup2(p.mine, null_device())); }
static void dup_syscall(enum kind kind) { struct pair p = unread(kind); copied(p, (int)syscall(SYS_dup, p.mine)); }

static void dup_read(enum kind kind)
{
	struct pair p = unread(kind);
	int copy = dup(p.mine);
	close(p.mine);
	take(copy, 10);
	close(copy);
	peer_closes(&p);
}

static void dup2_onto(enum kind kind)
{
	struct pair p = unread(kind);
	int null = null_device();
	check(dup2(null, p.mine), "dup2");
	close(null);
	close(p.mine);
	peer_closes(&p);
}

static void dup3_onto(enum kind kind)
{
	struct pair p = unread(kind);
	int null = null_device();
	check(dup3(null, p.mine, O_CLOEXEC), "dup3");
	close(null);
	close(p.mine);
	peer_closes(&p);
}

static void dup2_onto_copy(enum kind kind)
{
	struct pair p = unread(kind);
	int null = null_device(), copy = dup(p.mine);
	check(dup2(null, copy), "dup2");
	close(null);
	close(copy);
	close(p.mine);
	peer_closes(&p);
}

static void dup2_onto_other(enum kind kind)
{
	struct pair p = unread(kind), q = unread(kind);
	check(dup2(p.mine, q.mine), "dup2");
	close(q.mine);
	close(p.mine);
	peer_closes(&p);
	peer_closes(&q);
}

static void dup2_same(enum kind kind)
{
	struct pair p = unread(kind);
	check(dup2(p.mine, p.mine), "dup2");
	close(p.mine);
	peer_closes(&p);
}

static void dup2_failed(enum kind kind)
{
	struct pair p = unread(kind);
	if (dup2(-1, p.mine) >= 0 || dup3(p.mine, p.mine, 0) >= 0 || dup3(1, p.mine, 1 << 30) >= 0)
		errx(2, "dup2: no error");
	close(p.mine);
	peer_closes(&p);
}

static void dup2_syscall(enum kind kind)
{
	struct pair p = unread(kind);
	int null = null_device();
	check(syscall(SYS_dup3, null, p.mine, 0), "dup3");
	close(null);
	close(p.mine);
	peer_closes(&p);
}

/* streams */

static void fclose_unread(enum kind kind)
{
	struct pair p = unread(kind);
	fclose(fdopen(p.mine, "r+"));
	peer_closes(&p);
}

static void fclose_buffered(enum kind kind)
{
	struct pair p = unread(kind);
	FILE *stream = fdopen(p.mine, "r");
	getc(stream); /* takes all ten into the stream's buffer */
	fclose(stream);
	peer_closes(&p);
}

static void reopen(enum kind kind, FILE *(*function)(const char *, const char *, FILE *), const char *path)
{
	struct pair p = unread(kind);
	FILE *stream = function(path, "r", fdopen(p.mine, "r"));
	if (stream)
		fclose(stream);
	peer_closes(&p);
}
static void freopen_unread(enum kind kind) { reopen(kind, freopen, "/dev/null"); }
static void freopen64_unread(enum kind kind) { reopen(kind, freopen64, "/dev/null"); }
static void freopen_failed(enum kind kind) { reopen(kind, freopen, "/nonexistent/path"); }

/* many at once */

static void range(enum kind kind, int flags)
{
	struct pair p = unread(kind);
	unsigned fd = (unsigned)p.mine;
	check(close_range(fd, fd, flags), "close_range");
	close(p.mine);
	peer_closes(&p);
}
static void close_range_plain(enum kind kind) { range(kind, 0); }
static void close_range_cloexec(enum kind kind) { range(kind, CLOSE_RANGE_CLOEXEC); }
static void close_range_unshare(enum kind kind) { range(kind, CLOSE_RANGE_UNSHARE); }
static void close_range_bad_flags(enum kind kind)
{
	struct pair p = unread(kind);
	if (!close_range((unsigned)p.mine, (unsigned)p.mine, 1 << 20) || !close_range(9, 3, 0))
		errx(2, "close_range: no error");
	close(p.mine);
	peer_closes(&p);
}

static void closefrom_unread(enum kind kind)
{
	struct pair p = unread(kind), q = unread(kind);
	int copy = dup(p.mine);
	raw(SYS_dup3, p.peer, 20, 0), raw(SYS_close, p.peer); /* out of its reach */
	raw(SYS_dup3, q.peer, 21, 0), raw(SYS_close, q.peer);
	check(dup2(p.mine, 30), "dup2"), check(dup2(q.mine, 31), "dup2");
	close(p.mine), close(q.mine), close(copy);
	closefrom(30);
	raw(SYS_close, 20), raw(SYS_close, 21);
}

static void close_syscall(enum kind kind)
{
	struct pair p = unread(kind);
	check(syscall(SYS_close, p.mine), "close");
	peer_closes(&p);
}

static void close_range_syscall(enum kind kind)
{
	struct pair p = unread(kind);
	check(syscall(SYS_close_range, p.mine, p.mine, 0), "close_range");
	peer_closes(&p);
}

#endif

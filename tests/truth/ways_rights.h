/*
 * Sockets that cross to a process in a message, whether or not it is traced.
 */
#ifndef WAYS_RIGHTS_H
#define WAYS_RIGHTS_H

#include "ways_shared.h"

/* A process of this program without the library; `way` leads to its standard
 * input. It is there before the connection is. */
static pid_t untraced(const char *role, int way[2])
{
	char *argv[] = { (char[]){ "driver" }, (char[]){ "--untraced" }, strdup(role), NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way), "socketpair");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, way[1], 0);
	if (posix_spawn(&child, "/proc/self/exe", &actions, NULL, argv, envp))
		errx(2, "posix_spawn");
	posix_spawn_file_actions_destroy(&actions);
	free(argv[2]);
	close(way[1]);
	return child;
}

static void hear(int from)
{
	char byte;
	if (read(from, &byte, 1) != 1)
		errx(2, "the other process says nothing");
}

static void await_end(int from)
{
	char byte;
	if (read(from, &byte, 1))
		errx(2, "no end");
}

/* What such a process does: standard input leads to the traced one. */
static int untraced_role(const char *role)
{
	bool reads = strstr(role, "read"), holds = strstr(role, "hold");
	struct pair p = { .peer = -1 };

	if (strstr(role, "give")) {
		p = unread(V4);
		send_right(0, p.mine);
	} else {
		p.mine = receive_right(0);
	}
	if (reads)
		take(p.mine, 10);
	if (!holds)
		close(p.mine);
	check(write(0, "", 1), "write");
	await_end(0);
	return 0;
}

static void passed_outside(enum kind kind, const char *role)
{
	int way[2];
	pid_t child = untraced(role, way);
	struct pair p = unread(kind);
	send_right(way[0], p.mine);
	hear(way[0]);
	close(p.mine);
	close(way[0]);
	join(child);
	peer_closes(&p);
}
static void untraced_leaves(enum kind kind) { passed_outside(kind, "leave"); }
static void untraced_reads(enum kind kind) { passed_outside(kind, "read"); }
static void untraced_last(enum kind kind) { passed_outside(kind, "hold"); }
static void untraced_last_reads(enum kind kind) { passed_outside(kind, "read, hold"); }

static void received_from(const char *role, bool reads)
{
	int way[2];
	pid_t child = untraced(role, way);
	int fd = receive_right(way[0]);
	hear(way[0]);
	if (reads)
		take(fd, 10);
	close(fd);
	close(way[0]);
	join(child);
}
static void received(enum kind kind) { (void)kind, received_from("give", false); }
static void received_read(enum kind kind) { (void)kind, received_from("give", true); }
static void received_read_there(enum kind kind) { (void)kind, received_from("give, read", false); }
static void received_held(enum kind kind) { (void)kind, received_from("give, hold", false); }

/* A process that was forked gives it away and ends; the one that it was forked from
 * can't know, when it ends, that it is the last. */
static void family(enum kind kind, void (*give)(int fd, const int *by), const int *by)
{
	pid_t parent = fork();
	check(parent, "fork");
	if (!parent) {
		struct pair p = unread(kind);
		pid_t child = forked(&p, NULL);
		if (!child) {
			give(p.mine, by);
			close(p.mine);
			_exit(0);
		}
		join(child);
		_exit(0);
	}
	join(parent);
}

static void give_in_message(int fd, const int *by)
{
	send_right(by[0], fd);
	hear(by[0]);
}

static void sibling_passes(enum kind kind)
{
	int way[2];
	pid_t holder = untraced("hold", way);
	family(kind, give_in_message, way);
	close(way[0]);
	join(holder);
}

static void give_to_cat(int fd, const int *by)
{
	char *argv[] = { (char[]){ "cat" }, NULL }, *envp[] = { NULL };
	pid_t child;
	posix_spawn_file_actions_t actions;
	(void)fd;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, by[0], 0);
	posix_spawn_file_actions_adddup2(&actions, by[3], 1);
	if (posix_spawn(&child, "/bin/cat", &actions, NULL, argv, envp))
		errx(2, "posix_spawn");
	check(write(by[1], "x", 1), "write");
	hear(by[2]);
}

static void sibling_spawns(enum kind kind)
{
	int ways[4];
	check(pipe2(ways, O_CLOEXEC) | pipe2(ways + 2, O_CLOEXEC), "pipe");
	family(kind, give_to_cat, ways);
	for (int i = 0; i < 4; i++)
		close(ways[i]);
	raw(SYS_wait4, -1, 0, 0, 0);
}

/* To itself: a second descriptor that nobody counted. */
static int sent_around(int fd, bool many)
{
	int way[2], copy;
	char byte;
	union { char bytes[CMSG_SPACE(sizeof fd)]; struct cmsghdr aligned; } control = { 0 };
	struct iovec text = { .iov_base = &byte, .iov_len = 1 };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control,
						.msg_controllen = sizeof control } };
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way), "socketpair");
	if (many) {
		struct cmsghdr *part = CMSG_FIRSTHDR(&message.msg_hdr);
		*part = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
		memcpy(CMSG_DATA(part), &fd, sizeof fd);
		check(sendmmsg(way[0], &message, 1, 0), "sendmmsg");
		check(recvmmsg(way[1], &message, 1, 0, NULL), "recvmmsg");
		memcpy(&copy, CMSG_DATA(CMSG_FIRSTHDR(&message.msg_hdr)), sizeof copy);
	} else {
		send_right(way[0], fd);
		copy = receive_right(way[1]);
	}
	close(way[0]);
	close(way[1]);
	return copy;
}

static void passed_around(enum kind kind)
{
	struct pair p = unread(kind);
	int copy = sent_around(p.mine, false);
	close(p.mine);
	close(copy);
	peer_closes(&p);
}

static void passed_by_mmsg(enum kind kind)
{
	struct pair p = unread(kind);
	int copy = sent_around(p.mine, true);
	close(p.mine);
	close(copy);
	peer_closes(&p);
}

static void passed_linger0(enum kind kind)
{
	struct linger now = { 1, 0 };
	struct pair p = accepted(kind);
	int copy = sent_around(p.mine, false);
	check(setsockopt(copy, SOL_SOCKET, SO_LINGER, &now, sizeof now), "SO_LINGER");
	close(copy);
	close(p.mine);
	peer_closes(&p);
}

/* Nobody takes it out of the message: it ends with the way. */
static void passed_dropped(enum kind kind)
{
	int way[2];
	struct pair p = unread(kind);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way), "socketpair");
	send_right(way[0], p.mine);
	close(p.mine);
	close(way[0]);
	close(way[1]);
	peer_closes(&p);
}

/* popen's program holds it, and is nobody's to ask when it ends */
static void popen_holds(enum kind kind)
{
	struct pair p = unread(kind);
	FILE *stream = popen("cat >/dev/null", "w");
	if (!stream)
		err(2, "popen");
	close(p.mine);
	pclose(stream);
	peer_closes(&p);
}

#endif

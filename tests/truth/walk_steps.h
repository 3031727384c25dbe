/*
 * What can be done next, each with its weight.
 */
#ifndef WALK_STEPS_H
#define WALK_STEPS_H

#include "walk_conduct.h"

#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>

/* One of the descriptors that some worker holds; NULL where that one has none. */
static struct held *any_held(struct process **by)
{
	struct process *p = *by = any_worker();
	return p->count ? &p->held[pick((unsigned)p->count)] : NULL;
}

static struct process *holder(int sock, int *fd)
{
	for (int i = 0; i < WORKERS; i++)
		for (int k = 0; processes[i].pid && k < processes[i].count; k++)
			if (processes[i].held[k].sock == sock) {
				*fd = processes[i].held[k].fd;
				return &processes[i];
			}
	return NULL;
}

/* connections */

static int port_of(int fd, long call)
{
	struct sockaddr_in at;
	socklen_t size = sizeof at;
	check(raw(call, fd, &at, &size), "peer: name");
	return ntohs(at.sin_port);
}

static void use(int sock, int peer)
{
	sends_at_once(peer);
	socks[sock] = (struct sock){ .used = true, .peer = peer, .port = port_of(peer, SYS_getpeername),
				     .peer_port = port_of(peer, SYS_getsockname) };
}

static bool has_room(const struct process *p)
{
	return p->count < HELD - 4;
}

static bool step_accept(void)
{
	struct process *p = any_worker();
	int s = new_sock(), flags = pick(2) ? SOCK_CLOEXEC : 0;
	if (s < 0 || !has_room(p))
		return false;
	struct meeting at = meeting(V4);
	int listening = must(p, (struct command){ LISTEN, .number = 1 });
	((struct sockaddr_in *)&at.address)->sin_port = htons((uint16_t)listening);
	use(s, raw_connect(&at, SOCK_CLOEXEC));
	int fd = must(p, (struct command){ ACCEPT, .fd = listening >> 16, .number = flags });
	add(p, fd, s, flags);
	return did(p, "accept socket %d as %d%s", s, fd, flags ? ", close-on-exec" : "");
}

static bool step_connect(void)
{
	struct process *p = any_worker();
	int s = new_sock();
	if (s < 0 || !has_room(p))
		return false;
	struct meeting at = meeting(V4);
	int from = raw_listener(&at, 1);
	int fd = must(p, (struct command){ CONNECT, .number = ntohs(((struct sockaddr_in *)&at.address)->sin_port) });
	int peer = (int)raw(SYS_accept4, from, 0, 0, SOCK_CLOEXEC);
	check(peer, "peer: accept");
	raw(SYS_close, from);
	use(s, peer);
	add(p, fd, s, false);
	return did(p, "connect socket %d as %d", s, fd);
}

static bool step_backlog(void)
{
	struct process *p = any_worker();
	struct meeting at = meeting(V4);
	int client[3], clients = (int)pick(3) + 1;
	int listening = must(p, (struct command){ LISTEN, .number = 5 });
	((struct sockaddr_in *)&at.address)->sin_port = htons((uint16_t)listening);
	for (int i = 0; i < clients; i++)
		client[i] = raw_connect(&at, SOCK_CLOEXEC);
	settle();
	must(p, (struct command){ CLOSE, .fd = listening >> 16, .number = (int)pick(CLOSES) });
	for (int i = 0; i < clients; i++)
		raw(SYS_close, client[i]);
	return did(p, "close a listener with %d waiting", clients);
}

static bool step_receive(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h)
		return false;
	int n = ask(p, (struct command){ RECEIVE, .fd = h->fd, .number = pick(2) ? 65536 : (int)pick(3000) + 1 });
	return did(p, "receive %d from socket %d", n, h->sock);
}

static bool step_send(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h)
		return false;
	int n = ask(p, (struct command){ SEND, .fd = h->fd, .number = (int)pick(2000) + 1 });
	/* what reaches an end that was closed is counted there */
	return did(NULL, "process %d sends %d to socket %d", place_of(p), n, h->sock);
}

static bool step_shut(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h)
		return false;
	int side = (int)pick(3);
	ask(p, (struct command){ SHUT, .fd = h->fd, .number = side });
	return did(p, "shutdown %d of socket %d", side, h->sock);
}

static bool step_linger(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h)
		return false;
	int seconds = (int)pick(3) - 1;
	ask(p, (struct command){ LINGER, .fd = h->fd, .number = seconds, .to = (int)pick(2) });
	return did(p, "linger %d of socket %d", seconds, h->sock);
}

/* the other ends */

static struct sock *any_peer(bool speaking)
{
	struct sock *s = &socks[pick(SOCKS)];
	return s->used && s->peer >= 0 && !(speaking && s->mute) ? s : NULL;
}

static int index_of(const struct sock *s)
{
	return (int)(s - socks);
}

/* Is it held, but by nobody who does what he is told? (Nothing needs him; without
 * this the seeds that are kept would go other ways.) */
static bool is_out_of_reach(const struct sock *s)
{
	int fd;
	return !holder(index_of(s), &fd) && is_held(index_of(s));
}

static bool step_peer_sends(void)
{
	static const char text[4096];
	struct sock *s = any_peer(true);
	int fd, bytes = (int)pick(3000) + 1;
	if (!s || is_out_of_reach(s))
		return false;
	struct process *p = holder(index_of(s), &fd);
	int before = p ? ask(p, (struct command){ PENDING, .fd = fd }) : 0;
	if (before > 50000)
		return false;
	if (raw(SYS_sendto, s->peer, text, bytes, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0) != bytes)
		s->mute = true;
	return did(NULL, "peer of socket %d sends %d%s", index_of(s), bytes, p ? "" : ", late");
}

static bool step_peer_sends_oob(void)
{
	struct sock *s = any_peer(true);
	if (!s || is_out_of_reach(s))
		return false;
	raw(SYS_sendto, s->peer, "!", 1, MSG_OOB | MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
	s->mute = true;
	return did(NULL, "peer of socket %d sends a byte out of band", index_of(s));
}

static bool step_peer_ends(void)
{
	struct sock *s = any_peer(true);
	if (!s || is_out_of_reach(s))
		return false;
	raw(SYS_shutdown, s->peer, SHUT_WR);
	s->mute = true;
	return did(NULL, "peer of socket %d ends", index_of(s));
}

static bool peer_goes(struct sock *s, bool resets)
{
	struct linger at_once = { 1, 0 };
	if (resets)
		raw(SYS_setsockopt, s->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	raw(SYS_close, s->peer);
	s->peer = -1;
	return did(NULL, "peer of socket %d %s", index_of(s), resets ? "resets" : "closes");
}

static bool step_peer_goes(void)
{
	struct sock *s = any_peer(false);
	if (!s || is_out_of_reach(s))
		return false;
	return peer_goes(s, pick(2));
}

static bool step_orphan_goes(void)
{
	for (int i = 0; i < SOCKS; i++)
		if (socks[i].used && socks[i].peer >= 0 && !is_held(i))
			return peer_goes(&socks[i], false);
	return false;
}

static bool step_peer_receives(void)
{
	static char space[65536];
	struct sock *s = any_peer(false);
	if (!s)
		return false;
	long n = raw(SYS_recvfrom, s->peer, space, sizeof space, MSG_DONTWAIT, 0, 0);
	return did(NULL, "peer of socket %d receives %ld", index_of(s), n);
}

/* descriptors */

static bool step_copy(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	int call = (int)pick(COPIES), onto = -1;
	if (!h || !has_room(p))
		return false;
	struct held from = *h;
	if (call >= 5) {
		onto = pick(2) ? p->held[pick((unsigned)p->count)].fd : 80 + (int)pick(20);
		if (onto == from.fd)
			return false;
	}
	int fd = must(p, (struct command){ COPY, .fd = from.fd, .to = onto, .number = call });
	drop_fd(p, fd);
	add(p, fd, from.sock, call == 2 || call == 6);
	return did(p, "copy %d of socket %d from %d to %d", call, from.sock, from.fd, fd);
}

static bool step_cloexec(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h)
		return false;
	h->cloexec = pick(2);
	must(p, (struct command){ CLOEXEC, .fd = h->fd, .number = h->cloexec });
	return did(p, "close-on-exec %s of %d", h->cloexec ? "on" : "off", h->fd);
}

static bool step_close(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	int call = (int)pick(CLOSES);
	if (!h)
		return false;
	struct held closed = *h;
	must(p, (struct command){ CLOSE, .fd = closed.fd, .number = call });
	drop_fd(p, closed.fd);
	return did(p, "close %d of socket %d as %d", call, closed.sock, closed.fd);
}

static bool step_close_range(void)
{
	static const int flags[] = { 0, CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE };
	struct process *p;
	struct held *h = any_held(&p);
	int flag = flags[pick(3)];
	if (!h)
		return false;
	int first = h->fd, last = first + (int)pick(5);
	must(p, (struct command){ CLOSE_RANGE, .fd = first, .to = last, .number = flag });
	if (flag == CLOSE_RANGE_CLOEXEC) {
		for (int i = 0; i < p->count; i++)
			if (p->held[i].fd >= first && p->held[i].fd <= last)
				p->held[i].cloexec = true;
	} else {
		drop_range(p, first, last);
	}
	return did(p, "close_range from %d to %d, flags %d", first, last, flag);
}

static bool step_close_from(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h)
		return false;
	int first = h->fd;
	must(p, (struct command){ CLOSE_FROM, .fd = first });
	drop_range(p, first, INT_MAX);
	return did(p, "closefrom %d", first);
}

static bool step_fail(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	int call = (int)pick(FAILURES);
	if (!h)
		return false;
	ask(p, (struct command){ FAIL, .fd = h->fd, .number = call });
	did(p, "failure %d of %d", call, h->fd);
	is_void = call == 4;
	return true;
}

#endif

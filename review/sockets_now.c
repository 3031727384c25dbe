/*
 * By sock_diag, in the process's network namespace; where that may not be entered or
 * asked, by /proc/PID/net/tcp, which has no cookies.
 */
#include "sockets_now.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE 5 /* s that the kernel has for a piece of its answer */

/* What a descriptor can hold: sockets in TIME-WAIT and SYN-RECEIVED are the kernel's own. */
#define STATES (0xfffu & ~(1u << HC_STATE_time_wait) & ~(1u << HC_STATE_syn_received))

static GHashTable *new_table(void)
{
	return g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
}

/* To the kernel SYN and FIN are a byte each. */
static void take_one(uint64_t *bytes)
{
	if (*bytes)
		--*bytes;
}

static void add(GHashTable *sockets, struct socket_now *socket)
{
	struct socket_now *copy;

	switch (socket->state) {
	case HC_STATE_close_wait:
		socket->eof_unread = socket->unread != 0;
		take_one(&socket->unread);
		break;
	case HC_STATE_last_ack:
	case HC_STATE_closing:
		take_one(&socket->unread);
		take_one(&socket->unsent);
		break;
	case HC_STATE_syn_sent:
	case HC_STATE_fin_wait_1:
		take_one(&socket->unsent);
		break;
	default:
		break;
	}
	copy = g_memdup2(socket, sizeof(*socket));
	g_hash_table_replace(sockets, &copy->inode, copy);
}

static struct hc_address address_of(uint8_t family, const void *ip, uint16_t port, uint32_t scope)
{
	struct hc_address address = { .family = family, .port = port };
	static const uint8_t link_local[] = { 0xfe, 0x80 };

	memcpy(address.ip, ip, family == AF_INET ? 4 : 16);
	if (family == AF_INET6 && address.ip[0] == link_local[0] && (address.ip[1] & 0xc0) == link_local[1])
		address.scope = scope;
	return address;
}

static void take(GHashTable *sockets, const struct inet_diag_msg *message)
{
	const struct inet_diag_sockid *id = &message->id;
	struct socket_now socket = {
		.inode = message->idiag_inode,
		.cookie = (uint64_t)id->idiag_cookie[1] << 32 | id->idiag_cookie[0],
		.local = address_of(message->idiag_family, id->idiag_src, ntohs(id->idiag_sport), id->idiag_if),
		.peer = address_of(message->idiag_family, id->idiag_dst, ntohs(id->idiag_dport), id->idiag_if),
		.state = message->idiag_state < HC_STATES ? message->idiag_state : HC_STATE_unknown,
		.unread = message->idiag_rqueue,
		.unsent = message->idiag_wqueue,
	};

	if (socket.inode)
		add(sockets, &socket);
}

static bool ask(int netlink, uint8_t family, uint32_t protocol)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
		struct nlattr attribute; /* MPTCP's number has no room in the body */
		uint32_t protocol;
	} request = {
		.header = { sizeof(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0 },
		.body = { .sdiag_family = family, .sdiag_protocol = (uint8_t)protocol, .idiag_states = STATES },
		.attribute = { sizeof(request.attribute) + sizeof(request.protocol), INET_DIAG_REQ_PROTOCOL },
		.protocol = protocol,
	};

	return send(netlink, &request, sizeof(request), 0) == (ssize_t)sizeof(request);
}

/* Takes the answer to its end. False: it was refused, or did not come. */
static bool take_answer(int netlink, GHashTable *sockets)
{
	_Alignas(struct nlmsghdr) char buffer[32768];

	for (;;) {
		ssize_t size = recv(netlink, buffer, sizeof(buffer), 0);
		size_t left = size > 0 ? (size_t)size : 0;

		if (size < 0 && errno == EINTR)
			continue;
		if (!left)
			return false;
		for (const struct nlmsghdr *is = (void *)buffer; NLMSG_OK(is, left); is = NLMSG_NEXT(is, left)) {
			if (is->nlmsg_type == NLMSG_DONE)
				return true;
			if (is->nlmsg_type == NLMSG_ERROR)
				return false;
			if (is->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
				take(sockets, NLMSG_DATA(is));
		}
	}
}

static bool ask_kernel(int netlink, GHashTable *sockets)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	const struct timeval patience = { .tv_sec = PATIENCE };
	bool known = false;

	setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
		known |= ask(netlink, families[i], IPPROTO_TCP) && take_answer(netlink, sockets);
		if (ask(netlink, families[i], IPPROTO_MPTCP)) /* a kernel without it refuses */
			take_answer(netlink, sockets);
	}
	return known;
}

static int open_namespace(pid_t pid)
{
	char *path = pid ? g_strdup_printf("/proc/%d/ns/net", (int)pid) : g_strdup("/proc/self/ns/net");
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	g_free(path);
	return fd;
}

/* A socket stays in the namespace in which it was made. -1: that may not be entered. */
static int open_netlink(pid_t pid)
{
	int own = open_namespace(0), its = open_namespace(pid), netlink = -1;
	struct stat here, there;
	bool known = own >= 0 && its >= 0 && fstat(own, &here) == 0 && fstat(its, &there) == 0;
	bool same = known && here.st_ino == there.st_ino && here.st_dev == there.st_dev;

	if (known && (same || setns(its, CLONE_NEWNET) == 0)) {
		netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
		if (!same && setns(own, CLONE_NEWNET) < 0)
			g_error("the way back to the own network namespace is lost: %s", g_strerror(errno));
	}
	if (own >= 0)
		close(own);
	if (its >= 0)
		close(its);
	return netlink;
}

/* "0100007F:1F90": words of the machine's order, in hexadecimal. */
static bool parse_address(const char *text, struct hc_address *address)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");
	uint32_t words[4] = { 0 };
	unsigned port;

	if ((digits != 8 && digits != 32) || sscanf(text + digits, ":%4X", &port) != 1)
		return false;
	for (size_t i = 0; i < digits / 8; i++)
		if (sscanf(text + 8 * i, "%8X", &words[i]) != 1)
			return false;
	*address = address_of(digits == 8 ? AF_INET : AF_INET6, words, (uint16_t)port, 0);
	return true;
}

static void take_text(GHashTable *sockets, const char *text)
{
	char **lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		struct socket_now socket = { .cookie = UINT64_MAX };
		char local[64], peer[64];
		unsigned state;

		if (sscanf(*line,
		           "%*[ 0-9]: %63s %63s %X %" G_GINT64_MODIFIER "X:%" G_GINT64_MODIFIER
		           "X %*s %*s %*s %*s %" G_GINT64_MODIFIER "u",
		           local, peer, &state, &socket.unsent, &socket.unread, &socket.inode) != 6 ||
		    !socket.inode || !parse_address(local, &socket.local) || !parse_address(peer, &socket.peer))
			continue;
		socket.state = (uint8_t)(state < HC_STATES ? state : HC_STATE_unknown);
		if (socket.state == HC_STATE_listening)
			socket.unsent = UINT64_MAX;
		add(sockets, &socket);
	}
	g_strfreev(lines);
}

static bool read_proc(pid_t pid, GHashTable *sockets)
{
	static const char *const names[] = { "tcp", "tcp6" };
	bool known = false;

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		char *path = g_strdup_printf("/proc/%d/net/%s", (int)pid, names[i]), *text = NULL;

		if (g_file_get_contents(path, &text, NULL, NULL)) {
			take_text(sockets, text);
			known = true;
		}
		g_free(text);
		g_free(path);
	}
	return known;
}

GHashTable *sockets_now(pid_t pid, char **problem)
{
	GHashTable *sockets = new_table();
	int netlink = open_netlink(pid);
	bool known = netlink >= 0 && ask_kernel(netlink, sockets);

	if (netlink >= 0)
		close(netlink);
	if (known || read_proc(pid, sockets))
		return sockets;
	*problem = g_strdup("its sockets can't be asked for: neither sock_diag nor /proc/PID/net/tcp answers");
	g_hash_table_unref(sockets);
	return NULL;
}

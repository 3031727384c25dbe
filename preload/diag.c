#include "diag.h"
#include "fdtab.h"
#include "probe.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

/* A kernel that refuses the question is not asked it again. */
static _Atomic bool no_diag;

bool hc_diag_identity(int fd, uint32_t word, struct hc_identity *identity)
{
	if (word & HC_FD_UNIX || atomic_load(&no_diag))
		return false;
	identity->protocol = IPPROTO_TCP;
	identity->cookie = hc_probe_cookie(fd);
	hc_probe_local(fd, &identity->local);
	hc_probe_peer(fd, &identity->peer);
	return identity->cookie != UINT64_MAX && identity->local.family;
}

struct diag_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static void fill_request(struct diag_request *request, const struct hc_identity *identity)
{
	memset(request, 0, sizeof *request);
	request->header.nlmsg_len = sizeof *request;
	request->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->header.nlmsg_flags = NLM_F_REQUEST;
	request->body.sdiag_family = (uint8_t)identity->local.family;
	request->body.sdiag_protocol = identity->protocol;
	request->body.idiag_states = UINT32_MAX;
	request->body.id.idiag_sport = htons(identity->local.port);
	request->body.id.idiag_dport = htons(identity->peer.port);
	memcpy(request->body.id.idiag_src, identity->local.ip, 16);
	memcpy(request->body.id.idiag_dst, identity->peer.ip, 16);
	request->body.id.idiag_if = identity->local.scope;
	request->body.id.idiag_cookie[0] = (uint32_t)identity->cookie;
	request->body.id.idiag_cookie[1] = (uint32_t)(identity->cookie >> 32);
}

int hc_diag_still_held(const struct hc_identity *identity)
{
	int kept = errno, held = -1;
	struct diag_request request;
	struct {
		struct nlmsghdr header;
		union {
			struct inet_diag_msg found;
			struct nlmsgerr error;
			char space[512];
		};
	} reply;

	long fd = !atomic_load(&hc_self.sandboxed)
	              ? hc_sys(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG, 0, 0)
	              : -1;
	if (fd < 0) {
		if (errno == EPERM || errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT)
			atomic_store(&no_diag, true);
		errno = kept;
		return -1;
	}
	uint64_t own = hc_probe_cookie((int)fd);
	fill_request(&request, identity);
	if (hc_sys(SYS_write, fd, (long)&request, sizeof request, 0, 0) == sizeof request) {
		long n = hc_sys6(SYS_recvfrom, fd, (long)&reply, sizeof reply, MSG_DONTWAIT, 0, 0);
		if (n >= (long)(sizeof reply.header + sizeof reply.found) &&
		    reply.header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
			held = reply.found.idiag_inode != 0;
		else if (n >= (long)(sizeof reply.header + sizeof reply.error) &&
		         reply.header.nlmsg_type == NLMSG_ERROR && reply.error.error == -ENOENT)
			held = 0;
	}
	hc_probe_close_own((int)fd, own);
	errno = kept;
	return held;
}

/* Where a connection's two ends are. */
#include "probe.h"
#include "process.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

void hc_address_from(struct hc_address *address, const struct sockaddr *from, socklen_t size)
{
	/* the program's may lie at any address */
	union {
		sa_family_t family;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name;
	memset(address, 0, sizeof *address);
	if (size < sizeof name.family)
		return;
	memcpy(&name, from, size < sizeof name ? size : sizeof name);
	if (name.family == AF_INET && size >= sizeof name.in) {
		address->family = AF_INET;
		address->port = ntohs(name.in.sin_port);
		memcpy(address->ip, &name.in.sin_addr, 4);
	} else if (name.family == AF_INET6 && size >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		address->family = AF_INET6;
		address->port = ntohs(name.in6.sin6_port);
		address->scope = size >= sizeof name.in6 ? name.in6.sin6_scope_id : 0;
		memcpy(address->ip, &name.in6.sin6_addr, 16);
	}
}

static void probe_name(long call, int fd, struct hc_address *address)
{
	int kept = errno;
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	memset(address, 0, sizeof *address);
	if (!atomic_load_explicit(&hc_self.sandboxed, memory_order_relaxed) &&
	    !hc_sys(call, fd, (long)&name, (long)&size, 0, 0))
		hc_address_from(address, (const void *)&name, size);
	errno = kept;
}

void hc_probe_local(int fd, struct hc_address *address)
{
	probe_name(SYS_getsockname, fd, address);
}

void hc_probe_peer(int fd, struct hc_address *address)
{
	probe_name(SYS_getpeername, fd, address);
}

size_t hc_probe_unix_path(int fd, bool peer, char *path, size_t size)
{
	int kept = errno;
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	size_t used = 0;
	if (!atomic_load_explicit(&hc_self.sandboxed, memory_order_relaxed) &&
	    !hc_sys(peer ? SYS_getpeername : SYS_getsockname, fd, (long)&name, (long)&length, 0, 0) &&
	    length > offsetof(struct sockaddr_un, sun_path) && length <= sizeof name) {
		used = length - offsetof(struct sockaddr_un, sun_path);
		/* an abstract name begins with a NUL and may hold others; a path ends at one */
		if (name.sun_path[0])
			used = strnlen(name.sun_path, used);
		if (used > size)
			used = size;
		memcpy(path, name.sun_path, used);
	}
	errno = kept;
	return used;
}

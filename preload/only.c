#include "only.h"
#include "options.h"
#include "text.h"

#include <string.h>
#include <sys/socket.h>

struct term {
	const char *value;
	size_t size;
	enum { ONLY_EXE, ONLY_PORT, ONLY_PEER, ONLY_BAD } key;
};

static const char *const only_keys[] = { "exe=", "port=", "peer=" };

static const char *next_term(const char *at, struct term *term)
{
	if (!at || !*at)
		return NULL;
	size_t size = strcspn(at, ",");
	term->key = ONLY_BAD;
	for (unsigned i = 0; i < ONLY_BAD; i++) {
		size_t key = strlen(only_keys[i]);
		if (size > key && !strncmp(at, only_keys[i], key)) {
			term->key = i;
			term->value = at + key;
			term->size = size - key;
		}
	}
	return at + size + (at[size] == ',');
}

/* N or N-M */
static bool read_ports(const struct term *term, uint64_t *least, uint64_t *most)
{
	const char *end, *stop = term->value + term->size;
	if (!hc_read_digits(term->value, &end, least))
		return false;
	*most = *least;
	if (end < stop && *end == '-' && !hc_read_digits(end + 1, &end, most))
		return false;
	return end == stop && *least <= *most && *most <= 65535;
}

static bool read_ipv4(const char *at, const char *stop, uint8_t *ip)
{
	uint64_t byte;
	for (int i = 0; i < 4; i++) {
		if (!hc_read_digits(at, &at, &byte) || byte > 255 || (i < 3 && (at >= stop || *at++ != '.')))
			return false;
		ip[i] = (uint8_t)byte;
	}
	return at == stop;
}

static bool read_hex_group(const char **at, const char *stop, unsigned *group)
{
	const char *from = *at;
	*group = 0;
	for (; *at < stop && *at - from < 4; ++*at) {
		char c = **at, low = (char)(c | 0x20);
		if (c >= '0' && c <= '9')
			*group = *group * 16 + (unsigned)(c - '0');
		else if (low >= 'a' && low <= 'f')
			*group = *group * 16 + (unsigned)(low - 'a' + 10);
		else
			break;
	}
	return *at > from;
}

static bool read_ipv6(const char *at, const char *stop, uint8_t *ip)
{
	int n = 0, gap = -1;
	unsigned group;
	memset(ip, 0, 16);
	if (stop - at >= 2 && at[0] == ':' && at[1] == ':') {
		gap = 0;
		at += 2;
	}
	while (at < stop && n < 8) {
		if (!read_hex_group(&at, stop, &group))
			return false;
		ip[2 * n] = (uint8_t)(group >> 8);
		ip[2 * n + 1] = (uint8_t)group;
		n++;
		if (at == stop)
			break;
		if (*at++ != ':' || at == stop)
			return false;
		if (*at == ':') {
			if (gap >= 0)
				return false;
			gap = n;
			at++;
		}
	}
	if (at != stop || (gap < 0 && n != 8) || (gap >= 0 && n == 8))
		return false;
	if (gap >= 0) {
		memmove(ip + 16 - 2 * (n - gap), ip + 2 * gap, (size_t)(2 * (n - gap)));
		memset(ip + 2 * gap, 0, (size_t)(16 - 2 * n));
	}
	return true;
}

static bool read_prefix(const struct term *term, struct hc_address *address, uint64_t *bits)
{
	const char *stop = term->value + term->size, *end;
	const char *slash = memchr(term->value, '/', term->size);
	const char *ip_end = slash ? slash : stop;

	if (read_ipv4(term->value, ip_end, address->ip))
		address->family = AF_INET;
	else if (read_ipv6(term->value, ip_end, address->ip))
		address->family = AF_INET6;
	else
		return false;
	uint64_t most = address->family == AF_INET ? 32 : 128;
	*bits = most;
	return !slash || (hc_read_digits(slash + 1, &end, bits) && end == stop && *bits <= most);
}

bool hc_only_is_readable(const char *only)
{
	struct term term;
	struct hc_address address;
	uint64_t a, b;
	for (const char *at = only; (at = next_term(at, &term));)
		if (term.key == ONLY_BAD || (term.key == ONLY_PORT && !read_ports(&term, &a, &b)) ||
		    (term.key == ONLY_PEER && !read_prefix(&term, &address, &a)))
			return false;
	return true;
}

bool hc_only_program(const char *exe)
{
	struct term term;
	const char *base = strrchr(exe, '/');
	bool asked = false;
	base = base ? base + 1 : exe;
	for (const char *at = hc_options.ONLY; (at = next_term(at, &term));) {
		if (term.key != ONLY_EXE)
			continue;
		const char *with = memchr(term.value, '/', term.size) ? exe : base;
		if (strlen(with) == term.size && !memcmp(with, term.value, term.size))
			return true;
		asked = true;
	}
	return !asked;
}

bool hc_only_has_names(void)
{
	struct term term;
	for (const char *at = hc_options.ONLY; (at = next_term(at, &term));)
		if (term.key != ONLY_EXE)
			return true;
	return false;
}

static bool is_in_prefix(const struct hc_address *address, const struct hc_address *prefix, uint64_t bits)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = address->ip;
	if (address->family == AF_INET6 && prefix->family == AF_INET && !memcmp(ip, mapped, sizeof mapped))
		ip += sizeof mapped;
	else if (address->family != prefix->family)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if ((ip[i / 8] ^ prefix->ip[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

bool hc_only_connection(const struct hc_address *local, const struct hc_address *peer)
{
	struct term term;
	struct hc_address prefix;
	uint64_t a, b;
	bool port_asked = false, port_met = false, peer_asked = false, peer_met = false;
	for (const char *at = hc_options.ONLY; (at = next_term(at, &term));) {
		if (term.key == ONLY_PORT && read_ports(&term, &a, &b)) {
			port_asked = true;
			port_met |= local->family && local->port >= a && local->port <= b;
			port_met |= peer->family && peer->port >= a && peer->port <= b;
		} else if (term.key == ONLY_PEER && read_prefix(&term, &prefix, &a)) {
			peer_asked = true;
			peer_met |= is_in_prefix(peer, &prefix, a);
		}
	}
	return (!port_asked || port_met) && (!peer_asked || peer_met);
}

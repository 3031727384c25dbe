#include "text.h"

#include <string.h>
#include <sys/socket.h>

void hc_put_bytes(struct hc_text *text, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && text->used < sizeof text->bytes - 1; i++)
		text->bytes[text->used++] = (unsigned char)bytes[i] < ' ' || bytes[i] == 127 ? '?' : bytes[i];
	text->bytes[text->used] = '\0';
}

void hc_put(struct hc_text *text, const char *string)
{
	hc_put_bytes(text, string, strlen(string));
}

static void put_digits(struct hc_text *text, uint64_t number, unsigned base, unsigned group)
{
	char digits[32];
	size_t at = sizeof digits;
	unsigned n = 0;
	do {
		if (group && n && n % group == 0)
			digits[--at] = ',';
		digits[--at] = "0123456789abcdef"[number % base];
		n++;
	} while (number /= base);
	hc_put_bytes(text, digits + at, sizeof digits - at);
}

void hc_put_number(struct hc_text *text, uint64_t number)
{
	put_digits(text, number, 10, 0);
}

void hc_put_grouped(struct hc_text *text, uint64_t number)
{
	put_digits(text, number, 10, 3);
}

void hc_put_hex(struct hc_text *text, uint64_t number)
{
	hc_put(text, "0x");
	put_digits(text, number, 16, 0);
}

static void put_ipv4(struct hc_text *text, const uint8_t *ip)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			hc_put(text, ".");
		hc_put_number(text, ip[i]);
	}
}

/* RFC 5952: the longest run of two or more zero groups, the first of equals, is
 * written as "::". */
static void put_ipv6(struct hc_text *text, const uint8_t *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned group[8];
	int run_at = -1, run = 1;

	if (!memcmp(ip, mapped, sizeof mapped)) {
		hc_put(text, "::ffff:");
		put_ipv4(text, ip + 12);
		return;
	}
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && !group[i + n])
			n++;
		if (n > run) {
			run = n;
			run_at = i;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == run_at) {
			hc_put(text, "::");
			i += run - 1;
			continue;
		}
		if (i && (run_at < 0 || i != run_at + run))
			hc_put(text, ":");
		put_digits(text, group[i], 16, 0);
	}
}

void hc_put_address(struct hc_text *text, const struct hc_address *address)
{
	if (address->family == AF_INET) {
		put_ipv4(text, address->ip);
	} else if (address->family == AF_INET6) {
		hc_put(text, "[");
		put_ipv6(text, address->ip);
		hc_put(text, "]");
	} else {
		hc_put(text, "?");
		return;
	}
	hc_put(text, ":");
	hc_put_number(text, address->port);
}

bool hc_read_digits(const char *from, const char **end, uint64_t *number)
{
	*number = 0;
	for (*end = from; **end >= '0' && **end <= '9'; ++*end)
		if (__builtin_mul_overflow(*number, 10u, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(**end - '0'), number))
			return false;
	return *end > from;
}

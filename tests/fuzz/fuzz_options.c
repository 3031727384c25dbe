/*
 * The environment: each line of the input is a variable, read as the
 * constructor reads it; then HALFCLOSE_ONLY is asked about programs and
 * connections, and judged by another reader of addresses, inet_pton.
 */
/* uses: options only text */
#include "fuzz.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "only.h"
#include "options.h"
#include "text.h"

enum { VARIABLES = 64, LONGEST = 600 };

static unsigned complaints;

static void hear(const char *line)
{
	size_t size = strlen(line);

	MUST(size > 0 && size < sizeof(((struct hc_text *)NULL)->bytes));
	for (size_t i = 0; i < size; i++)
		MUST((unsigned char)line[i] >= ' ' && line[i] != 127);
	complaints++;
}

/* Each in memory of its own, so that a sanitizer sees a read behind its end. */
static char **environment_of(const uint8_t *data, size_t size)
{
	char **variables = calloc(VARIABLES + 1, sizeof(*variables));

	for (unsigned i = 0; i < VARIABLES && size; i++) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;

		variables[i] = strndup((const char *)data, length);
		data += length + (end ? 1 : 0);
		size -= length + (end ? 1 : 0);
	}
	return variables;
}

static bool is_in(const struct hc_address *address, const struct hc_address *prefix, unsigned bits)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = address->ip;

	if (address->family == AF_INET6 && prefix->family == AF_INET && !memcmp(ip, mapped, sizeof(mapped)))
		ip += sizeof(mapped);
	else if (address->family != prefix->family)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if ((ip[i / 8] >> (7 - i % 8) & 1) != (prefix->ip[i / 8] >> (7 - i % 8) & 1))
			return false;
	return true;
}

/* One term that is an address as inet_pton knows them: the same, or not at all. */
static void judge_peer(const char *only)
{
	struct hc_address prefix = { 0 }, peer = { 0 }, none = { 0 };
	char ip[64] = "";
	unsigned bits = 0;
	int used = 0;
	bool slash;

	if (strncmp(only, "peer=", 5) != 0 || strchr(only, ',') || strlen(only) > sizeof(ip))
		return;
	memcpy(ip, only + 5, strcspn(only + 5, "/"));
	slash = strchr(only, '/') != NULL;
	if (inet_pton(AF_INET, ip, prefix.ip) == 1)
		prefix.family = AF_INET;
	else if (inet_pton(AF_INET6, ip, prefix.ip) == 1)
		prefix.family = AF_INET6;
	else
		return;
	bits = prefix.family == AF_INET ? 32 : 128;
	if (slash && (sscanf(strchr(only, '/') + 1, "%3u%n", &bits, &used) != 1 || strchr(only, '/')[1 + used]))
		return;
	if (slash && (strchr("+- \t\v\f\r", strchr(only, '/')[1]) || bits > (prefix.family == AF_INET ? 32 : 128)))
		return;
	if (prefix.family == AF_INET6 && strchr(ip, '.'))
		return; /* ::ffff:1.2.3.4 is not read, and that is said */
	MUST(hc_options.ONLY);
	peer = prefix;
	MUST(hc_only_connection(&none, &peer));
	for (unsigned bit = 0; bit < (prefix.family == AF_INET ? 32 : 128); bit++) {
		peer = prefix;
		peer.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		MUST(hc_only_connection(&none, &peer) == is_in(&peer, &prefix, bits));
	}
}

/* What is written of an address, inet_pton reads as the same. */
static void judge_writing(const uint8_t *data, size_t size)
{
	struct hc_address address = { .family = size & 1 ? AF_INET : AF_INET6, .port = 80 };
	struct hc_text text = { 0 };
	uint8_t again[16] = { 0 };
	char ip[64] = "", shortest[64];
	char *colon;

	memcpy(address.ip, data, size < 16 ? size : 16);
	if (address.family == AF_INET)
		memset(address.ip + 4, 0, 12);
	hc_put_address(&text, &address);
	colon = strrchr(text.bytes, ':');
	MUST(colon && !strcmp(colon, ":80"));
	if (address.family == AF_INET)
		memcpy(ip, text.bytes, (size_t)(colon - text.bytes));
	else
		memcpy(ip, text.bytes + 1, (size_t)(colon - text.bytes) - 2);
	MUST(inet_pton(address.family, ip, again) == 1 && !memcmp(again, address.ip, sizeof(again)));
	inet_ntop(address.family, address.ip, shortest, sizeof(shortest));
	if (strchr(shortest, '.') == NULL) /* the libc writes ::1.2.3.4, too */
		MUST(!strcmp(ip, shortest));
}

static void ask(const char *only)
{
	struct hc_address local = { AF_INET, 80, 0, { 127, 0, 0, 1 } }, peer = { .family = AF_INET6, .port = 65535 };
	char exe[300];
	bool every = hc_only_program("/usr/bin/nginx");

	MUST(hc_only_is_readable(only));
	MUST(strlen(only) < LONGEST);
	hc_only_has_names();
	hc_only_connection(&local, &peer);
	peer.family = 0;
	hc_only_connection(&peer, &peer);
	if (!strncmp(only, "exe=", 4) && !strchr(only, ',')) {
		snprintf(exe, sizeof(exe), "%s%.250s", strchr(only, '/') ? "" : "/opt/", only + 4);
		MUST(strlen(only) > 250 || hc_only_program(exe));
	}
	if (!strstr(only, "exe="))
		MUST(every);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char **variables = environment_of(data, size);
	char text[64], much[1024];
	size_t used;

	complaints = 0;
	hc_options_read(variables, hear);
	MUST(hc_options.LOG_MAX > 0 && hc_options.LOG_MAX <= (uint64_t)INT64_MAX);
	MUST(hc_options.STACK_DEPTH >= 1 && hc_options.STACK_DEPTH <= 64);
	MUST(hc_options.WARN >= HC_WARN_AUTO && hc_options.WARN <= HC_WARN_OFF);
	MUST(hc_options.STACK >= HC_STACK_OFF && hc_options.STACK <= HC_STACK_ALL);
	MUST(hc_options.SOCKETS >= HC_SOCKETS_TCP && hc_options.SOCKETS <= HC_SOCKETS_TCP_UNIX);
	MUST(!hc_options.LOG || *hc_options.LOG);
	MUST(complaints <= VARIABLES + 1);
	if (hc_options.ONLY)
		ask(hc_options.ONLY);
	for (char **variable = variables; *variable; variable++)
		if (variable == variables && !variables[1] && !strncmp(*variable, "HALFCLOSE_ONLY=", 15))
			judge_peer(*variable + 15);
	used = hc_options_text(variables, text, sizeof(text));
	MUST(used <= sizeof(text));
	used = hc_options_text(variables, much, sizeof(much));
	MUST(used <= sizeof(much) && !memchr(much, '\0', used));
	judge_writing(data, size);
	for (char **variable = variables; *variable; variable++)
		free(*variable);
	free(variables);
	return 0;
}

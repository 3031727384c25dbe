#include "suppressions.h"

#include <string.h>
#include <sys/socket.h>

#include "glob.h"
#include "say.h"
#include "suppression_keys.h"
#include "symbols.h"

static void suppression_free(void *data)
{
	struct suppression *suppression = data;

	g_array_unref(suppression->conditions);
	g_free(suppression->name);
	g_free(suppression);
}

struct suppressions *suppressions_new(void)
{
	struct suppressions *suppressions = g_new0(struct suppressions, 1);

	suppressions->list = g_ptr_array_new_with_free_func(suppression_free);
	return suppressions;
}

void suppressions_free(struct suppressions *suppressions)
{
	if (!suppressions)
		return;
	g_ptr_array_unref(suppressions->list);
	g_free(suppressions);
}

/* ---- matching ---- */

/* IPv4 in IPv6 is IPv4. */
static const uint8_t *plain_ip(const struct hc_address *address, uint16_t *family)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	*family = address->family;
	if (address->family != AF_INET6 || memcmp(address->ip, mapped, sizeof(mapped)) != 0)
		return address->ip;
	*family = AF_INET;
	return address->ip + sizeof(mapped);
}

static bool peer_matches(const struct condition *condition, const struct hc_address *peer)
{
	unsigned bytes = condition->bits / 8, rest = condition->bits % 8;
	uint16_t family;
	const uint8_t *ip = plain_ip(peer, &family), *wanted = condition->peer.ip;

	if (family != condition->peer.family || memcmp(ip, wanted, bytes) != 0)
		return false;
	return !rest || (ip[bytes] ^ wanted[bytes]) >> (8 - rest) == 0;
}

static bool port_matches(const struct condition *condition, const struct hc_address *end)
{
	return end->family && end->port >= condition->least && end->port <= condition->most;
}

static bool matches(const struct condition *condition, const struct rule *rule, const struct connection *connection)
{
	const char *how = value_name(FIELD_how, connection->close->close.how);

	switch ((int)condition->key) {
	case KEY_rule:
		return glob_match(condition->pattern, rule->id);
	case KEY_program:
		return glob_match_path(condition->pattern, connection->program);
	case KEY_how:
		return how && glob_match(condition->pattern, how);
	case KEY_port:
		return port_matches(condition, &connection->local) || port_matches(condition, &connection->peer);
	default:
		return peer_matches(condition, &connection->peer);
	}
}

static bool frame_matches(const struct condition *condition, const struct frame *frame)
{
	switch ((int)condition->key) {
	case KEY_function:
		return frame->function && glob_match(condition->pattern, frame->function);
	case KEY_module:
		return frame->module && glob_match_path(condition->pattern, frame->module);
	default:
		return frame->file && glob_match_path(condition->pattern, frame->file);
	}
}

/* One frame can hold for several keys, but not for one key twice. */
static bool stack_matches(const GArray *conditions, const GArray *stack)
{
	unsigned at = 0, taken = 0; /* taken: the keys that held for the frame at `at` */

	for (unsigned i = 0; i < conditions->len; i++) {
		const struct condition *condition = &g_array_index(conditions, struct condition, i);

		if (condition->key < FIRST_OF_STACK)
			continue;
		while (at < stack->len && ((taken >> condition->key & 1) ||
		                           !frame_matches(condition, &g_array_index(stack, struct frame, at)))) {
			at++;
			taken = 0;
		}
		if (at == stack->len)
			return false;
		taken |= 1u << condition->key;
	}
	return true;
}

static bool holds(const struct suppression *suppression, const struct rule *rule, const struct connection *connection,
                  const GArray *stack)
{
	unsigned asked = 0, met = 0;

	for (unsigned i = 0; i < suppression->conditions->len; i++) {
		const struct condition *condition = &g_array_index(suppression->conditions, struct condition, i);

		if (condition->key >= FIRST_OF_STACK)
			continue;
		asked |= 1u << condition->key;
		if (matches(condition, rule, connection))
			met |= 1u << condition->key;
	}
	return asked == met && stack_matches(suppression->conditions, stack);
}

bool suppressions_match(struct suppressions *suppressions, const struct rule *rule, const struct connection *connection,
                        const GArray *stack)
{
	for (unsigned i = 0; i < suppressions->list->len; i++) {
		struct suppression *suppression = suppressions->list->pdata[i];

		if (!holds(suppression, rule, connection, stack))
			continue;
		suppression->used++;
		suppressions->used++;
		return true;
	}
	return false;
}

void suppressions_reset(struct suppressions *suppressions)
{
	suppressions->used = 0;
	for (unsigned i = 0; i < suppressions->list->len; i++)
		((struct suppression *)suppressions->list->pdata[i])->used = 0;
}

void suppressions_tell_unused(const struct suppressions *suppressions)
{
	for (unsigned i = 0; i < suppressions->list->len; i++) {
		const struct suppression *suppression = suppressions->list->pdata[i];

		if (!suppression->used)
			complain("%s:%u: the suppression '%s' was not used", suppression->path, suppression->line,
			         suppression->name);
	}
}

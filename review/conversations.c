#include "conversations.h"

#include <string.h>
#include <sys/socket.h>

#include "say.h"

/* An address in one form: IPv4 in IPv6 is IPv4. */
struct end {
	uint8_t ip[16];
	uint16_t port;
};

static struct end end_of(const struct hc_address *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct end end = { .port = address->port };

	if (address->family == AF_INET) {
		memcpy(end.ip, mapped, 12);
		memcpy(end.ip + 12, address->ip, 4);
	} else {
		memcpy(end.ip, address->ip, 16);
	}
	return end;
}

static bool same_end(const struct hc_address *a, const struct hc_address *b)
{
	struct end left = end_of(a), right = end_of(b);

	return left.port == right.port && !memcmp(left.ip, right.ip, sizeof(left.ip));
}

static guint mix(guint hash, const struct hc_address *address)
{
	struct end end = end_of(address);
	uint64_t high, low;

	memcpy(&high, end.ip, sizeof(high));
	memcpy(&low, end.ip + sizeof(high), sizeof(low));
	return (guint)(((high * 31 + low + end.port + hash) * 0x9e3779b97f4a7c15u) >> 32);
}

static guint ends_hash(gconstpointer key)
{
	const struct connection *connection = key;

	return mix(mix(connection->boot, &connection->local), &connection->peer);
}

static gboolean ends_equal(gconstpointer left, gconstpointer right)
{
	const struct connection *a = left, *b = right;

	return a->boot == b->boot && same_end(&a->local, &b->local) && same_end(&a->peer, &b->peer);
}

GHashTable *conversations_table(void)
{
	return g_hash_table_new(ends_hash, ends_equal);
}

void conversations_forget(GHashTable *table, struct connection *connection)
{
	if (connection->in_ends)
		g_hash_table_remove(table, connection);
	connection->in_ends = false;
}

static struct connection *mirror_of(GHashTable *table, const struct connection *connection)
{
	struct connection mirror = { .boot = connection->boot, .local = connection->peer, .peer = connection->local };

	return g_hash_table_lookup(table, &mirror);
}

static bool asked(const struct connection *connection)
{
	return connection->connected || connection->connecting;
}

void conversations_join(GHashTable *table, struct connection *connection)
{
	struct connection *other;

	if (connection->in_ends || connection->other || connection->listener || !connection->local.family ||
	    !connection->peer.family)
		return;
	other = g_hash_table_lookup(table, connection);
	if (other)
		other->in_ends = false; /* an older one of the same ends, whose place this takes */
	g_hash_table_replace(table, connection, connection);
	connection->in_ends = true;
	other = mirror_of(table, connection);
	if (!other || other == connection || other->other || other->ripe)
		return;
	if ((asked(connection) && asked(other)) || (connection->accepted && other->accepted))
		return;
	connection->other = other;
	other->other = connection;
}

/* Where the connect's own result does not say whether it came about. */
static bool came_about(const struct connection *connection)
{
	const struct hc_close *close;

	if (!connection->close || connection->was_established)
		return true;
	close = &connection->close->close;
	switch (close->state) {
	case HC_STATE_syn_sent:
		return false;
	case HC_STATE_closed:
		return known_or_zero(close->sent) || known_or_zero(close->received) ||
		       (close->flags != UINT32_MAX && (close->flags & HC_FLAG_peer_fin));
	default:
		return close->state < HC_STATES && close->state != HC_STATE_listening;
	}
}

bool connection_is_one(const struct connection *connection)
{
	uint32_t flags = connection->close ? connection->close->close.flags : 0;

	if (connection->listener || (connection->close && (connection->close->close.state == HC_STATE_listening ||
	                                                   connection->close->close.outcome == HC_OUTCOME_backlog)))
		return false;
	if (connection->accepted || connection->connected || connection->adopted)
		return true;
	if (connection->connecting)
		return came_about(connection);
	if (flags == UINT32_MAX)
		return false;
	/* its birth was not recorded */
	return (flags & HC_FLAG_accepted) || ((flags & HC_FLAG_connected) && came_about(connection));
}

void conversations_judge(struct connection *connection)
{
	const struct hc_close *close = connection->close ? &connection->close->close : NULL;
	struct teardown_facts facts = { .closed = close != NULL };

	if (close) {
		facts.outcome = close->outcome;
		facts.state = close->state < HC_STATES ? close->state : HC_STATE_unknown;
		facts.peer_fin = close->flags != UINT32_MAX && (close->flags & HC_FLAG_peer_fin);
		facts.shut = connection->shut;
		facts.shut_state = connection->shut_state < HC_STATES ? connection->shut_state : HC_STATE_unknown;
	}
	connection->teardown = teardown_of(&facts);
}

static struct connection *copy_of(const struct connection *connection)
{
	struct connection *copy = g_memdup2(connection, sizeof(*connection));

	copy->birth = connection->birth ? event_copy(connection->birth) : NULL;
	copy->close = connection->close ? event_copy(connection->close) : NULL;
	copy->local_path = g_strdup(connection->local_path);
	copy->peer_path = g_strdup(connection->peer_path);
	copy->names = NULL;
	copy->in_ends = false;
	copy->other = copy->newer = copy->older = NULL;
	return copy;
}

static void free_copy(struct connection *copy)
{
	g_free(copy->birth);
	g_free(copy->close);
	g_free(copy->local_path);
	g_free(copy->peer_path);
	g_free(copy);
}

struct connection *connection_copy(const struct connection *connection)
{
	struct connection *copy = copy_of(connection);

	if (connection->other) {
		copy->other = copy_of(connection->other);
		copy->other->other = copy;
	}
	return copy;
}

void connection_copy_free(struct connection *copy)
{
	if (!copy)
		return;
	if (copy->other)
		free_copy(copy->other);
	free_copy(copy);
}

char *connection_local(const struct connection *connection)
{
	char *text = say_address(&connection->local);

	return text ? text : g_strdup(connection->local_path);
}

char *connection_peer(const struct connection *connection)
{
	char *text = say_address(&connection->peer);

	return text ? text : g_strdup(connection->peer_path);
}

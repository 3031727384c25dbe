/* Which event is about which socket, and what is known of it by then. */
#include "connections.h"

#include "conversations.h"
#include "learn.h"
#include "recording.h"
#include "socket_names.h"

unsigned connections_kept = CONNECTIONS_KEPT;

static guint cookie_hash(gconstpointer key)
{
	const struct connection *connection = key;

	return (guint)(((connection->cookie + connection->boot) * 0x9e3779b97f4a7c15u) >> 32);
}

static gboolean cookie_equal(gconstpointer left, gconstpointer right)
{
	const struct connection *a = left, *b = right;

	return a->cookie == b->cookie && a->boot == b->boot;
}

static void link_open(struct connections *connections, struct connection *connection)
{
	connection->newer = NULL;
	connection->older = connections->open;
	if (connections->open)
		connections->open->newer = connection;
	connections->open = connection;
}

static void unlink_open(struct connections *connections, struct connection *connection)
{
	if (connection->newer)
		connection->newer->older = connection->older;
	else
		connections->open = connection->older;
	if (connection->older)
		connection->older->newer = connection->newer;
	connection->newer = connection->older = NULL;
}

static void forget(struct connections *connections, struct connection *connection)
{
	socket_names_forget(connections->by_name, connection);
	if (known64(connection->cookie) && g_hash_table_lookup(connections->by_cookie, connection) == connection)
		g_hash_table_remove(connections->by_cookie, connection);
	conversations_forget(connections->by_ends, connection);
	if (connection->other)
		connection->other->other = NULL;
	g_free(connection->birth);
	g_free(connection->close);
	g_free(connection->local_path);
	g_free(connection->peer_path);
	g_free(connection);
}

unsigned connections_number(const struct connections *connections, const struct recording *recording, uint64_t sock)
{
	struct connection *connection = socket_names_find(connections->by_name, recording->index, sock);

	return connection ? connection->number : 0;
}

static struct connection *find_cookie(const struct connections *connections, unsigned boot, uint64_t cookie)
{
	struct connection wanted = { .cookie = cookie, .boot = boot };

	return known64(cookie) ? g_hash_table_lookup(connections->by_cookie, &wanted) : NULL;
}

/* Two that were taken for different sockets are one: `from` becomes part of `into`. */
static void merge(struct connections *connections, struct connection *into, struct connection *from)
{
	socket_names_move(into, from);
	conversations_forget(connections->by_ends, into); /* where it lies there follows from its addresses */
	into->number = MIN(into->number, from->number);
	into->born = MIN(into->born, from->born);
	into->accepted |= from->accepted;
	into->connected |= from->connected;
	into->listener |= from->listener;
	if (!into->local.family)
		into->local = from->local;
	if (!into->peer.family)
		into->peer = from->peer;
	if (!into->asked_at)
		into->asked_at = from->asked_at;
	if (!into->birth)
		into->birth = g_steal_pointer(&from->birth);
	if (from->shut && !into->shut) {
		into->shut = true;
		into->shut_state = from->shut_state;
		into->shut_at = from->shut_at;
	}
	unlink_open(connections, from);
	forget(connections, from);
}

static struct connection *find_or_add(struct connections *connections, const struct event *event)
{
	const struct hc_socket *socket = &event->common.socket;
	unsigned file = event->recording->index, boot = event->recording->boot;
	struct connection *connection = socket_names_find(connections->by_name, file, socket->sock);
	struct connection *same = find_cookie(connections, boot, socket->cookie);

	if (!connection && same) {
		socket_names_add(connections->by_name, same, file, socket->sock);
		return same;
	}
	if (!connection) {
		connection = g_new0(struct connection, 1);
		connection->number = ++connections->last_number;
		connection->boot = boot;
		connection->cookie = UINT64_MAX;
		link_open(connections, connection);
		socket_names_add(connections->by_name, connection, file, socket->sock);
	}
	if (same && same != connection && !connection->close && !connection->other) {
		merge(connections, same, connection);
		return same;
	}
	if (!same && known64(socket->cookie) && !known64(connection->cookie)) {
		connection->cookie = socket->cookie;
		g_hash_table_add(connections->by_cookie, connection);
	}
	return connection;
}

/* Ripe: nothing more is expected to be recorded of it. */
static void ripen(struct connections *connections, struct connection *connection)
{
	struct connection *other = connection->other;

	connection->ripe = true;
	if (other && !other->ripe)
		return;
	conversations_judge(connection);
	if (other)
		conversations_judge(other);
	connections->judged(connection, connections->data);
	if (other) {
		connections->judged(other, connections->data);
		forget(connections, other);
	}
	forget(connections, connection);
}

static void count_close(struct connections *connections, uint8_t outcome, int by)
{
	uint64_t *count = &connections->outcomes[outcome < HC_OUTCOMES ? outcome : HC_OUTCOME_unknown];

	*count += (uint64_t)(int64_t)by;
}

/* Two holders each took itself for the last: one that could not know it, less than
 * one that did; of two that did, the later. A close by exec is applied late. */
static bool supersedes(const struct event *event, const struct event *other)
{
	bool known = event->close.outcome != HC_OUTCOME_unknown,
	     other_known = other->close.outcome != HC_OUTCOME_unknown;

	return known == other_known ? event->order >= other->order : known;
}

/* A drain may end long after its close. */
static void end_if_over(struct connections *connections, struct connection *connection)
{
	if (connection->over || !connection->close)
		return;
	if (connection->close->close.outcome == HC_OUTCOME_drain && !connection->drain.at)
		return;
	connection->over = true;
	unlink_open(connections, connection);
	g_queue_push_tail(connections->over, connection);
	while (g_queue_get_length(connections->over) > connections_kept)
		ripen(connections, g_queue_pop_head(connections->over));
}

static void apply_close(struct connections *connections, struct connection *connection, const struct event *event)
{
	uint8_t outcome = event->close.outcome;

	connections->closes++;
	count_close(connections, outcome, 1);
	if (outcome == HC_OUTCOME_shared) {
		if (connection->pid == event->record.pid && connections->processes->count > 1)
			connection->pid = 0; /* perhaps its own dup, perhaps another process */
		return;
	}
	if (connection->close) {
		bool later = supersedes(event, connection->close);

		count_close(connections, later ? connection->close->close.outcome : outcome, -1);
		count_close(connections, HC_OUTCOME_shared, 1);
		if (!later)
			return;
		g_free(connection->close);
	}
	connection->close = event_copy(event);
	connection->program = processes_program(connections->processes, event);
	end_if_over(connections, connection);
}

static void note_close(struct connections *connections, struct connection *connection, const struct event *event)
{
	if (event->close.how == HC_HOW_exec)
		pending_add(connections->pending, event);
	else
		apply_close(connections, connection, event);
}

static void exec_happened(const struct event *close, void *data)
{
	struct connections *connections = data;

	apply_close(connections, find_or_add(connections, close), close);
}

struct connections *connections_new(const struct processes *processes, connection_judged *judged, void *data)
{
	struct connections *connections = g_new0(struct connections, 1);

	connections->judged = judged;
	connections->data = data;
	connections->processes = processes;
	connections->by_name = socket_names_table();
	connections->by_cookie = g_hash_table_new(cookie_hash, cookie_equal);
	connections->by_ends = conversations_table();
	connections->pending = pending_new(exec_happened, connections);
	connections->over = g_queue_new();
	return connections;
}

static const struct connection *listener_of(const struct connections *connections, const struct event *event)
{
	if (event->kind != HC_EVENT_accept)
		return NULL;
	return socket_names_find(connections->by_name, event->recording->index, event->accept.listener);
}

static bool brings_addresses(const struct event *event)
{
	switch ((int)event->kind) {
	case HC_EVENT_listen:
	case HC_EVENT_connect:
	case HC_EVENT_accept:
	case HC_EVENT_adopt:
		return true;
	default:
		return false;
	}
}

struct connection *connections_event(struct connections *connections, const struct event *event)
{
	struct connection *connection;

	pending_event(connections->pending, event);
	if (!event_kind(event->kind)->socket)
		return NULL;
	connection = find_or_add(connections, event);
	if (event->common.socket.family)
		connection->family = event->common.socket.family;
	if (event->kind != HC_EVENT_close || event->close.outcome != HC_OUTCOME_shared) {
		connection->pid = event->record.pid;
		connection->fd = event->common.socket.fd;
		connection->program = processes_program(connections->processes, event);
	}
	if (brings_addresses(event))
		conversations_forget(connections->by_ends,
		                     connection); /* where it lies in the table follows from them */
	if (!connection->born)
		connection->born = event->order;
	connection_learn(connection, event, listener_of(connections, event));
	conversations_join(connections->by_ends, connection);
	if (event->kind == HC_EVENT_close)
		note_close(connections, connection, event);
	else if (event->kind == HC_EVENT_drain)
		end_if_over(connections, connection);
	else
		return connection;
	/* if it is still there */
	return socket_names_find(connections->by_name, event->recording->index, event->common.socket.sock);
}

void connections_open(const struct connections *connections, connection_judged *visit, void *data)
{
	for (struct connection *connection = connections->open; connection; connection = connection->older)
		visit(connection, data);
}

void connections_ended(struct connections *connections, connection_judged *visit, void *data)
{
	GList *link = connections->over->tail;

	while (link && !((struct connection *)link->data)->passed)
		link = link->prev;
	for (link = link ? link->next : connections->over->head; link; link = link->next) {
		struct connection *connection = link->data;

		connection->passed = true;
		conversations_judge(connection);
		visit(connection, data);
	}
}

void connections_finish(struct connections *connections)
{
	struct connection *connection;

	pending_finish(connections->pending);
	while ((connection = connections->open)) {
		unlink_open(connections, connection);
		g_queue_push_tail(connections->over, connection);
	}
	while ((connection = g_queue_pop_head(connections->over)))
		ripen(connections, connection);
}

/* An end that is ripe waits for its other end, and is in no list but by it. */
static void forget_both(struct connections *connections, struct connection *connection)
{
	if (connection->other && connection->other->ripe)
		forget(connections, connection->other);
	forget(connections, connection);
}

void connections_free(struct connections *connections)
{
	struct connection *connection, *older;

	pending_free(connections->pending);
	for (connection = connections->open; connection; connection = older) {
		older = connection->older;
		forget_both(connections, connection);
	}
	while ((connection = g_queue_pop_head(connections->over)))
		forget_both(connections, connection);
	g_hash_table_unref(connections->by_name);
	g_hash_table_unref(connections->by_cookie);
	g_hash_table_unref(connections->by_ends);
	g_queue_free(connections->over);
	g_free(connections);
}

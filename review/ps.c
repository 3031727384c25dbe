/* A process's sockets joined with the kernel's word on them and with the recording. */
#include "ps.h"

#include <sys/socket.h>

#include "recording.h"

static void socket_free(void *data)
{
	struct ps_socket *socket = data;

	g_free(socket->gone);
	g_array_unref(socket->fds);
	g_free(socket->time);
	g_free(socket->place);
	if (socket->stack)
		g_array_unref(socket->stack);
	g_free(socket);
}

static bool is_listener(const struct ps_socket *socket)
{
	return socket->now->state == HC_STATE_listening;
}

static int rank(const struct ps_socket *socket)
{
	switch (socket->now->state) {
	case HC_STATE_close_wait:
		return 0;
	case HC_STATE_closed:
		return 1;
	case HC_STATE_listening:
		return 3;
	default:
		return 2;
	}
}

/* What was forgotten first, then the oldest; of unknown age is what was there before the rest. */
static int by_need(const void *left, const void *right)
{
	const struct ps_socket *a = *(struct ps_socket *const *)left, *b = *(struct ps_socket *const *)right;

	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	if (a->age != b->age)
		return a->age > b->age ? -1 : 1;
	return g_array_index(a->fds, int, 0) - g_array_index(b->fds, int, 0);
}

static const char *way_of(const struct connection *connection)
{
	if (connection->accepted)
		return "accepted";
	return connection->connected || connection->connecting ? "connected" : connection->adopted ? "received" : NULL;
}

static void join(struct ps_socket *socket, struct opened *opened, pid_t own)
{
	const struct connection *connection = opened_find(opened, socket->now, own, g_array_index(socket->fds, int, 0));
	const struct site *site;

	if (!connection)
		return;
	socket->connection = connection;
	socket->age = opened_age(opened, connection);
	socket->time = opened_time(opened, connection);
	socket->by = way_of(connection);
	site = opened_site(opened, connection);
	if (!site || !site->place)
		return;
	socket->place = g_strdup(site->place);
	socket->stack = g_array_ref(site->frames);
}

/* The kernel does not list what was reset or never connected. By the recording it was a
 * connection, and the descriptor is still open. */
static struct socket_now *closed_one(const struct opened *opened, pid_t own, const struct held *held)
{
	const struct connection *connection = opened ? opened_held(opened, own, held->fd) : NULL;
	struct socket_now *now;

	if (!connection || connection->family == AF_UNIX || !connection_is_one(connection))
		return NULL;
	now = g_new0(struct socket_now, 1);
	now->inode = held->inode;
	now->cookie = connection->cookie;
	now->local = connection->local;
	now->peer = connection->peer;
	now->state = HC_STATE_closed;
	return now;
}

static void add_held(struct ps *ps, GHashTable *by_inode, const struct held *held, const struct opened *opened,
                     pid_t own)
{
	gint64 inode = (gint64)held->inode;
	struct ps_socket *socket = g_hash_table_lookup(by_inode, &inode);
	const struct socket_now *now = g_hash_table_lookup(ps->sockets, &inode);
	struct socket_now *gone = NULL;

	if (!now && !socket)
		now = gone = closed_one(opened, own, held);
	if (!now && !socket)
		return;
	if (!socket) {
		socket = g_new0(struct ps_socket, 1);
		socket->now = now;
		socket->gone = gone;
		socket->fds = g_array_new(FALSE, FALSE, sizeof(int));
		socket->age = UINT64_MAX;
		g_hash_table_insert(by_inode, (gpointer)&now->inode, socket);
		g_ptr_array_add(ps->list, socket);
	}
	g_array_append_val(socket->fds, held->fd);
}

struct ps *ps_of(struct target *target, GHashTable *sockets, struct opened *opened)
{
	struct ps *ps = g_new0(struct ps, 1);
	GHashTable *by_inode = g_hash_table_new(g_int64_hash, g_int64_equal);
	pid_t own = target_own_number(target->pid, target->pid); /* as the recording has it */

	ps->target = target;
	ps->sockets = sockets;
	ps->list = g_ptr_array_new_with_free_func(socket_free);
	for (unsigned i = 0; i < target->held->len; i++)
		add_held(ps, by_inode, &g_array_index(target->held, struct held, i), opened, own);
	g_hash_table_unref(by_inode);
	for (unsigned i = 0; i < ps->list->len; i++) {
		struct ps_socket *socket = ps->list->pdata[i];

		if (opened)
			join(socket, opened, own);
		ps->close_wait += socket->now->state == HC_STATE_close_wait;
		ps->listeners += is_listener(socket);
	}
	g_ptr_array_sort(ps->list, by_need);
	return ps;
}

void ps_free(struct ps *ps)
{
	g_ptr_array_unref(ps->list);
	g_hash_table_unref(ps->sockets);
	if (ps->threads)
		g_ptr_array_unref(ps->threads);
	target_free(ps->target);
	g_free(ps);
}

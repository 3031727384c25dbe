#include "opened.h"

#include <string.h>
#include <sys/socket.h>

#include "recording.h"
#include "say.h"
#include "timeline.h"

/* Both ends in one form: IPv4 in IPv6 is IPv4. */
struct ends {
	uint8_t ip[2][16];
	uint16_t port[2];
};

struct open {
	struct ends ends;
	gint64 holder;                 /* process and descriptor */
	struct connection *connection; /* a copy, owned */
};

struct opened {
	struct timeline *timeline;
	struct processes *processes;
	struct stacks *stacks;
	GPtrArray *list; /* of struct open *, owned */
	GHashTable *by_ends, *by_cookie, *by_holder;
	uint64_t now; /* order of this moment; ~0: another boot */
};

static void set_end(struct ends *ends, unsigned i, const struct hc_address *address)
{
	ends->port[i] = address->port;
	if (address->family == AF_INET) {
		memset(ends->ip[i] + 10, 0xff, 2);
		memcpy(ends->ip[i] + 12, address->ip, 4);
	} else {
		memcpy(ends->ip[i], address->ip, 16);
	}
}

static struct ends ends_of(const struct hc_address *local, const struct hc_address *peer)
{
	struct ends ends;

	memset(&ends, 0, sizeof(ends));
	set_end(&ends, 0, local);
	set_end(&ends, 1, peer);
	return ends;
}

static guint ends_hash(gconstpointer key)
{
	const unsigned char *byte = key;
	guint hash = 0x811c9dc5u;

	for (size_t i = 0; i < sizeof(struct ends); i++)
		hash = (hash ^ byte[i]) * 0x01000193u;
	return hash;
}

static gboolean ends_equal(gconstpointer a, gconstpointer b)
{
	return !memcmp(a, b, sizeof(struct ends));
}

static void open_free(void *data)
{
	struct open *open = data;

	connection_copy_free(open->connection);
	g_free(open);
}

static gint64 holder_of(uint32_t pid, int fd)
{
	return (gint64)((uint64_t)pid << 32 | (uint32_t)fd);
}

/* Of two with the same key the later one: the end of the other was not seen. */
static void keep_later(GHashTable *table, gpointer key, struct open *open)
{
	const struct open *other = g_hash_table_lookup(table, key);

	if (!other || other->connection->born < open->connection->born)
		g_hash_table_replace(table, key, open);
}

static void keep_open(struct connection *connection, void *data)
{
	struct opened *opened = data;
	struct open *open;

	if (connection->close)
		return;
	open = g_new0(struct open, 1);
	open->connection = connection_copy(connection);
	g_ptr_array_add(opened->list, open);
	if (known64(connection->cookie))
		g_hash_table_insert(opened->by_cookie, &open->connection->cookie, open);
	open->holder = holder_of(connection->pid, connection->fd);
	if (!connection->listener)
		keep_later(opened->by_holder, &open->holder, open);
	open->ends = ends_of(&connection->local, &connection->peer);
	if (connection->local.family && (connection->peer.family || connection->listener))
		keep_later(opened->by_ends, &open->ends, open);
}

static void read_all(struct opened *opened)
{
	struct connections *connections = connections_new(opened->processes, keep_open, opened);
	struct event *event;

	progress_begin(&opened->timeline->progress, NULL);
	while ((event = timeline_next(opened->timeline, UINT64_MAX))) {
		processes_event(opened->processes, event);
		connections_event(connections, event);
		g_free(event);
	}
	connections_finish(connections);
	connections_free(connections);
}

struct opened *opened_read(const char *path)
{
	char *paths[] = { (char *)path, NULL };
	struct timeline *timeline = timeline_open(paths);
	struct opened *opened;

	if (timeline->problems) {
		timeline_free(timeline);
		return NULL;
	}
	opened = g_new0(struct opened, 1);
	opened->timeline = timeline;
	opened->processes = processes_new();
	opened->stacks = stacks_new();
	opened->list = g_ptr_array_new_with_free_func(open_free);
	opened->by_ends = g_hash_table_new(ends_hash, ends_equal);
	opened->by_cookie = g_hash_table_new(g_int64_hash, g_int64_equal);
	opened->by_holder = g_hash_table_new(g_int64_hash, g_int64_equal);
	timeline->early = processes_module_event;
	timeline->early_data = opened->processes;
	read_all(opened);
	opened->now = timeline_moment(timeline, 0);
	return opened;
}

void opened_free(struct opened *opened)
{
	if (!opened)
		return;
	g_hash_table_unref(opened->by_ends);
	g_hash_table_unref(opened->by_cookie);
	g_hash_table_unref(opened->by_holder);
	g_ptr_array_unref(opened->list);
	stacks_free(opened->stacks);
	processes_free(opened->processes);
	timeline_free(opened->timeline);
	g_free(opened);
}

const struct connection *opened_held(const struct opened *opened, pid_t pid, int fd)
{
	gint64 holder = holder_of((uint32_t)pid, fd);
	const struct open *open = g_hash_table_lookup(opened->by_holder, &holder);

	return open ? open->connection : NULL;
}

/* One whose addresses were not recorded is known by its holder. */
static const struct connection *find_nameless(const struct opened *opened, pid_t pid, int fd)
{
	const struct connection *found = opened_held(opened, pid, fd);

	return found && !found->local.family ? found : NULL;
}

const struct connection *opened_find(const struct opened *opened, const struct socket_now *socket, pid_t pid, int fd)
{
	struct ends ends = ends_of(&socket->local, &socket->peer);
	const struct open *open = NULL;

	if (known64(socket->cookie))
		open = g_hash_table_lookup(opened->by_cookie, &socket->cookie);
	if (!open)
		open = g_hash_table_lookup(opened->by_ends, &ends);
	return open ? open->connection : find_nameless(opened, pid, fd);
}

uint64_t opened_age(const struct opened *opened, const struct connection *connection)
{
	return opened->now != UINT64_MAX && opened->now > connection->born ? opened->now - connection->born
	                                                                   : UINT64_MAX;
}

char *opened_time(const struct opened *opened, const struct connection *connection)
{
	const struct recording *recording = opened->timeline->recordings->pdata[0];

	return say_time(recording_realtime(recording, connection->born - recording->order_offset));
}

const struct site *opened_site(struct opened *opened, const struct connection *connection)
{
	return connection->birth ? stacks_site(opened->stacks, opened->processes, connection->birth) : NULL;
}

#include "socket_names.h"

struct socket_name {
	uint64_t sock;
	unsigned file;
	struct connection *connection; /* not owned */
	struct socket_name *next;      /* of the same socket; owned by the connection */
};

static guint hash(gconstpointer key)
{
	const struct socket_name *name = key;

	return (guint)(((name->sock + name->file) * 0x9e3779b97f4a7c15u) >> 32);
}

static gboolean equal(gconstpointer left, gconstpointer right)
{
	const struct socket_name *a = left, *b = right;

	return a->sock == b->sock && a->file == b->file;
}

GHashTable *socket_names_table(void)
{
	return g_hash_table_new(hash, equal);
}

void socket_names_add(GHashTable *table, struct connection *connection, unsigned file, uint64_t sock)
{
	struct socket_name *name = g_new(struct socket_name, 1);

	*name = (struct socket_name){ sock, file, connection, connection->names };
	connection->names = name;
	g_hash_table_add(table, name);
}

struct connection *socket_names_find(GHashTable *table, unsigned file, uint64_t sock)
{
	struct socket_name wanted = { .sock = sock, .file = file };
	struct socket_name *name = g_hash_table_lookup(table, &wanted);

	return name ? name->connection : NULL;
}

void socket_names_move(struct connection *into, struct connection *from)
{
	while (from->names) {
		struct socket_name *name = from->names;

		from->names = name->next;
		name->connection = into;
		name->next = into->names;
		into->names = name;
	}
}

void socket_names_forget(GHashTable *table, struct connection *connection)
{
	while (connection->names) {
		struct socket_name *name = connection->names;

		connection->names = name->next;
		g_hash_table_remove(table, name);
		g_free(name);
	}
}

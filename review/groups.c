#include "groups.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

/* How far a peer's address is told at each level; behind the last, all are one. */
static const uint8_t bits4[] = { 32, 24, 16, 8 }, bits6[] = { 128, 64, 48, 32 };

static const char *const others[AXES] = { "other programs", "other ports", "other peers" };

static struct group *group_new(enum axis axis, char *name)
{
	struct group *group = g_new0(struct group, 1);

	group->axis = axis;
	group->name = name;
	group->references = 1;
	return group;
}

struct group *group_now(struct group *group)
{
	while (group->into)
		group = group->into;
	return group;
}

void group_release(struct group *group)
{
	while (group && --group->references == 0) {
		struct group *into = group->into;

		g_free(group->name);
		g_free(group);
		group = into;
	}
}

static void release(void *group)
{
	group_release(group);
}

/* The group of that key; a new one where there is none. */
static struct group *group_at(struct groups *groups, enum axis axis, const char *key, const char *name)
{
	struct group *group = g_hash_table_lookup(groups->of[axis], key);

	if (!group) {
		group = group_new(axis, g_strdup(name));
		g_hash_table_insert(groups->of[axis], g_strdup(key), group);
	}
	return group;
}

static struct group *group_of_others(struct groups *groups, enum axis axis)
{
	struct group *group = group_at(groups, axis, "", others[axis]);

	group->many = true;
	return group;
}

/* By name, or with the others where the axis takes no new ones. The key begins with a
 * letter, so that no name is taken for the others. */
static struct group *group_named(struct groups *groups, enum axis axis, const char *name)
{
	char *key = g_strconcat("n", name, NULL);
	struct group *group = g_hash_table_lookup(groups->of[axis], key);

	if (!group)
		group = groups->closed[axis] ? group_of_others(groups, axis) : group_at(groups, axis, key, name);
	g_free(key);
	return group;
}

static struct group *program_of(struct groups *groups, const struct connection *connection)
{
	const char *name = connection->program && *connection->program ? connection->program : "program not recorded";

	return group_named(groups, AXIS_PROGRAM, name);
}

static struct group *service_of(struct groups *groups, const struct connection *connection)
{
	bool connecting = connection->connected || connection->connecting;
	const struct hc_address *address = connecting ? &connection->peer : &connection->local;
	const char *path = connecting ? connection->peer_path : connection->local_path;
	char *name;
	struct group *group;

	if (address->family)
		name = g_strdup_printf("%s%u", connecting ? "to " : "", address->port);
	else if (path && *path)
		name = g_strconcat(connecting ? "to " : "", path, NULL);
	else
		name = g_strdup("port not recorded");
	group = group_named(groups, AXIS_SERVICE, name);
	if (!group->many && address->family) {
		group->port = address->port;
		group->connecting = connecting;
	}
	g_free(name);
	return group;
}

/* An IPv4 address that is written as an IPv6 one is IPv4. */
static void plain_address(const struct hc_address *address, uint8_t *family, uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(ip, 0, 16);
	if (address->family == AF_INET6 && !memcmp(address->ip, mapped, sizeof(mapped))) {
		*family = AF_INET;
		memcpy(ip, address->ip + 12, 4);
	} else {
		*family = (uint8_t)address->family;
		memcpy(ip, address->ip, *family == AF_INET ? 4 : 16);
	}
}

static char *network_name(uint8_t family, const uint8_t ip[16], uint8_t bits)
{
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t masked[16];

	for (unsigned i = 0; i < sizeof(masked); i++)
		masked[i] = (uint8_t)(bits >= 8 * (i + 1) ? ip[i]
		                      : bits > 8 * i      ? ip[i] & (0xff00 >> (bits - 8 * i))
		                                          : 0);
	inet_ntop(family, masked, text, sizeof(text));
	if (bits == (family == AF_INET ? 32 : 128))
		return g_strdup(text);
	return g_strdup_printf("%s/%u", text, bits);
}

static struct group *network_at(struct groups *groups, uint8_t family, const uint8_t ip[16], unsigned level)
{
	struct group *group;
	uint8_t bits;
	char *name, *key;

	if (level >= G_N_ELEMENTS(bits4))
		return group_of_others(groups, AXIS_PEER);
	bits = family == AF_INET ? bits4[level] : bits6[level];
	name = network_name(family, ip, bits);
	key = g_strconcat("n", name, NULL);
	group = group_at(groups, AXIS_PEER, key, name);
	group->family = family;
	group->bits = bits;
	group->many = level != 0;
	memcpy(group->ip, ip, sizeof(group->ip));
	g_free(name);
	g_free(key);
	return group;
}

static struct group *peer_of(struct groups *groups, const struct connection *connection)
{
	uint8_t family, ip[16];
	struct group *group = NULL;
	char *name, *key;

	if (!connection->peer.family)
		return group_named(groups, AXIS_PEER,
		                   connection->family == AF_UNIX ? "unix socket" : "peer not recorded");
	plain_address(&connection->peer, &family, ip);
	if (groups->level) { /* it may be one of those that are told apart still */
		name = network_name(family, ip, family == AF_INET ? 32 : 128);
		key = g_strconcat("n", name, NULL);
		group = g_hash_table_lookup(groups->of[AXIS_PEER], key);
		g_free(key);
		g_free(name);
	}
	return group ? group : network_at(groups, family, ip, groups->level);
}

void groups_find(struct groups *groups, const struct connection *connection, struct group *found[AXES])
{
	found[AXIS_PROGRAM] = program_of(groups, connection);
	found[AXIS_SERVICE] = service_of(groups, connection);
	found[AXIS_PEER] = peer_of(groups, connection);
}

static int by_count(const void *left, const void *right)
{
	const struct group *a = *(struct group *const *)left, *b = *(struct group *const *)right;

	if (a->many != b->many)
		return a->many ? 1 : -1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

GPtrArray *groups_sorted(const struct groups *groups, enum axis axis)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter all;
	gpointer group;

	g_hash_table_iter_init(&all, groups->of[axis]);
	while (g_hash_table_iter_next(&all, NULL, &group))
		g_ptr_array_add(list, group);
	g_ptr_array_sort(list, by_count);
	return list;
}

static struct group *wider(struct groups *groups, const struct group *group)
{
	if (group->axis == AXIS_PEER && group->family)
		return network_at(groups, group->family, group->ip, groups->level);
	return group_of_others(groups, group->axis);
}

/* Of peers there may be as many as connections: then those that come again and again
 * are worth a name. */
static bool is_frequent(const struct group *group, uint64_t total)
{
	return group->axis != AXIS_PEER || group->count * 100 >= total;
}

/* Says to the rare ones what they become part of; they stay where they are. */
void groups_fold(struct groups *groups, enum axis axis, unsigned kept)
{
	GPtrArray *list = groups_sorted(groups, axis);
	uint64_t total = 0;

	for (unsigned i = 0; i < list->len; i++)
		total += ((struct group *)list->pdata[i])->count;
	groups->closed[axis] = true;
	if (axis == AXIS_PEER)
		groups->level++;
	for (unsigned i = 0; i < list->len; i++) {
		struct group *group = list->pdata[i], *into;

		if (i < kept && !group->many && is_frequent(group, total))
			continue;
		into = wider(groups, group);
		if (into == group)
			continue;
		into->count += group->count;
		into->references++;
		group->into = into;
	}
	g_ptr_array_unref(list);
}

static gboolean is_folded(gpointer key, gpointer group, gpointer data)
{
	(void)key;
	(void)data;
	return ((struct group *)group)->into != NULL;
}

void groups_forget_folded(struct groups *groups, enum axis axis)
{
	g_hash_table_foreach_remove(groups->of[axis], is_folded, NULL);
}

void groups_init(struct groups *groups)
{
	for (unsigned axis = 0; axis < AXES; axis++)
		groups->of[axis] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, release);
}

void groups_clear(struct groups *groups)
{
	for (unsigned axis = 0; axis < AXES; axis++)
		g_hash_table_unref(groups->of[axis]);
}

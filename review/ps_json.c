#include "frame_json.h"
#include "ps.h"
#include "say.h"

static void known(struct json *json, const char *key, uint64_t value)
{
	if (known64(value))
		json_number(json, key, value);
}

static void common(struct json *json, const struct ps_socket *socket)
{
	char *local = say_address(&socket->now->local);

	json_array(json, "fds");
	for (unsigned i = 0; i < socket->fds->len; i++)
		json_number(json, NULL, (uint64_t)g_array_index(socket->fds, int, i));
	json_end_array(json);
	if (socket->connection)
		json_number(json, "sock", socket->connection->number);
	known(json, "cookie", socket->now->cookie);
	json_number(json, "inode", socket->now->inode);
	json_string(json, "local", local);
	g_free(local);
}

static void connection(struct json *json, const struct ps_socket *socket)
{
	char *peer = say_address(&socket->now->peer);

	json_object(json, NULL);
	json_string(json, "state", value_name(FIELD_state, socket->now->state));
	common(json, socket);
	json_string(json, "peer", peer);
	if (socket->now->state == HC_STATE_close_wait)
		json_bool(json, "eof_read", !socket->now->eof_unread);
	json_number(json, "unread", socket->now->unread);
	json_number(json, "unacked", socket->now->unsent);
	known(json, "us", known64(socket->age) ? socket->age / 1000u : UINT64_MAX);
	if (socket->connection) {
		json_object(json, "opened");
		json_string(json, "how", socket->by);
		json_string(json, "time", socket->time);
		json_string(json, "place", socket->place);
		if (socket->stack)
			json_frames(json, "stack", socket->stack);
		json_end_object(json);
	}
	json_end_object(json);
	g_free(peer);
}

static void listener(struct json *json, const struct ps_socket *socket)
{
	json_object(json, NULL);
	common(json, socket);
	json_number(json, "waiting", socket->now->unread);
	known(json, "backlog", socket->now->unsent);
	json_end_object(json);
}

static void thread(struct json *json, const struct thread *thread)
{
	const char state[] = { thread->state, '\0' };

	json_object(json, NULL);
	json_number(json, "tid", (uint64_t)thread->tid);
	json_string(json, "name", thread->name);
	json_string(json, "state", state);
	json_string(json, "problem", thread->problem);
	json_frames(json, "stack", thread->frames);
	json_end_object(json);
}

void ps_json(const struct ps *ps, struct json *json)
{
	unsigned connections = ps->list->len - ps->listeners;

	json_object(json, NULL);
	json_number(json, "pid", (uint64_t)ps->target->pid);
	json_string(json, "exe", ps->target->exe);
	json_bool(json, "traced", ps->target->traced);
	json_string(json, "recording", ps->target->called);
	json_string(json, "lacking", ps->lacking);
	json_number(json, "close_wait", ps->close_wait);
	json_array(json, "connections");
	for (unsigned i = 0; i < connections; i++)
		connection(json, ps->list->pdata[i]);
	json_end_array(json);
	json_array(json, "listeners");
	for (unsigned i = connections; i < ps->list->len; i++)
		listener(json, ps->list->pdata[i]);
	json_end_array(json);
	if (ps->threads) {
		json_array(json, "threads");
		for (unsigned i = 0; i < ps->threads->len; i++)
			thread(json, ps->threads->pdata[i]);
		json_end_array(json);
	}
	json_end_object(json);
}

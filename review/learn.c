#include "learn.h"

#include <errno.h>
#include <sys/socket.h>

#include "say.h"

static void set_text(char **to, const struct event *event, struct hc_span span)
{
	if (!span.size)
		return;
	g_free(*to);
	*to = say_text((const char *)event->bytes + span.offset, span.size);
}

static void set_address(struct hc_address *to, struct hc_address from)
{
	if (from.family == AF_INET || from.family == AF_INET6)
		*to = from;
}

/* Where it was opened: most recordings have no stacks of that, and nothing is kept. */
static void note_birth(struct connection *connection, const struct event *event, struct hc_span stack)
{
	if (stack.size && !connection->birth)
		connection->birth = event_copy(event);
}

static void note_accept(struct connection *connection, const struct event *event, const struct connection *listener)
{
	connection->accepted = true;
	note_birth(connection, event, event->accept.stack);
	set_address(&connection->local, event->accept.local);
	set_address(&connection->peer, event->accept.peer);
	if (!listener)
		return;
	if (!connection->local.family)
		connection->local = listener->local;
	if (listener->local_path && !connection->local_path)
		connection->local_path = g_strdup(listener->local_path);
}

static void note_connect(struct connection *connection, const struct event *event)
{
	uint32_t result = event->connect.result;

	connection->connected |= result == 0 || result == EISCONN;
	connection->connecting |= result == EINPROGRESS || result == EINTR || result == EALREADY;
	if (known64(event->connect.us) && !connection->asked_at && event->connect.us < event->order / 1000)
		connection->asked_at = event->order - event->connect.us * 1000;
	set_address(&connection->local, event->connect.local);
	set_address(&connection->peer, event->connect.peer);
	set_text(&connection->peer_path, event, event->connect.path);
	note_birth(connection, event, event->connect.stack);
}

static void note_adopt(struct connection *connection, const struct event *event)
{
	if (event->adopt.state == HC_STATE_listening)
		connection->listener = true;
	else
		connection->adopted = true;
	set_address(&connection->local, event->adopt.local);
	set_address(&connection->peer, event->adopt.peer);
	set_text(&connection->local_path, event, event->adopt.path);
	note_birth(connection, event, event->adopt.stack);
}

static void note_shutdown(struct connection *connection, const struct event *event)
{
	uint8_t state = event->shutdown.state, side = event->shutdown.side;

	if (event->shutdown.result != 0)
		return;
	if (state == HC_STATE_established)
		connection->was_established = true;
	if (side == HC_SIDE_rdwr) {
		connection->shut_both = true;
		connection->shut_both_early |=
		    state == HC_STATE_established || state == HC_STATE_fin_wait_1 || state == HC_STATE_fin_wait_2;
	}
	if ((side == HC_SIDE_wr || side == HC_SIDE_rdwr) && !connection->shut) {
		connection->shut = true;
		connection->shut_state = state;
		connection->shut_at = event->order;
	}
}

static void note_listen(struct connection *connection, const struct event *event)
{
	connection->listener = true;
	set_address(&connection->local, event->listen.local);
	set_text(&connection->local_path, event, event->listen.path);
}

static void note_drain(struct drain *drain, const struct event *event)
{
	drain->at = event->order;
	drain->us = known_or_zero(event->drain.us);
	drain->drained += known_or_zero(event->drain.drained);
	drain->unacked = event->drain.unacked;
	drain->saved = event->drain.saved;
	drain->result = drain_result(event);
}

void connection_learn(struct connection *connection, const struct event *event, const struct connection *listener)
{
	switch ((int)event->kind) {
	case HC_EVENT_listen:
		note_listen(connection, event);
		break;
	case HC_EVENT_connect:
		note_connect(connection, event);
		break;
	case HC_EVENT_accept:
		note_accept(connection, event, listener);
		break;
	case HC_EVENT_adopt:
		note_adopt(connection, event);
		break;
	case HC_EVENT_shutdown:
		note_shutdown(connection, event);
		break;
	case HC_EVENT_drain:
		note_drain(&connection->drain, event);
		break;
	}
}

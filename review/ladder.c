/* A judged connection -> what is known of the two ends, for the model to play. */
#include "ladder.h"

#include <string.h>
#include <sys/socket.h>

#include "ladder_play.h"
#include "rules.h"
#include "say.h"

static bool is_unix(const struct connection *connection)
{
	return connection->family == AF_UNIX;
}

static bool has_flag(const struct connection *connection, uint32_t flag)
{
	return connection->close && connection->close->close.flags != UINT32_MAX &&
	       connection->close->close.flags & flag;
}

static enum ladder_birth birth_of(const struct connection *connection)
{
	if (connection->connected || connection->connecting || has_flag(connection, HC_FLAG_connected))
		return BIRTH_CONNECT;
	return connection->accepted || has_flag(connection, HC_FLAG_accepted) ? BIRTH_ACCEPT : BIRTH_BEFORE;
}

/* What is said of the call that ended it: new text. */
static char *close_call(const struct event *close)
{
	const char *how = value_name(FIELD_how, close->close.how);

	switch (close->close.how) {
	case HC_HOW_exit:
	case HC_HOW__exit:
	case HC_HOW__Exit:
	case HC_HOW_quick_exit:
		return g_strdup_printf("%s()", how);
	case HC_HOW_return:
		return g_strdup("main returns");
	case HC_HOW_exec:
		return g_strdup("exec");
	case HC_HOW_close:
		return g_strdup_printf("close(%d)", close->close.socket.fd);
	default:
		return g_strdup_printf("%s, fd %d", how ? how : "closed", close->close.socket.fd);
	}
}

/* The call that a finding of this connection is about. */
static void mark_findings(struct ladder_side *side, const struct connection *connection)
{
	for (const struct rule *rule = rules; rule->id; rule++) {
		if (!connection->close || !rule->applies(connection))
			continue;
		if (!strcmp(rule->id, "rdwr-close"))
			side->shut_alarming = true;
		else
			side->close_alarming = true;
	}
}

static void note_close(struct ladder_side *side, const struct connection *connection)
{
	const struct hc_close *close = &connection->close->close;

	side->close_call = close_call(connection->close);
	side->close_at = connection->close->order;
	side->state = close->state < HC_STATES ? close->state : HC_STATE_unknown;
	side->outcome = close->outcome < HC_OUTCOMES ? close->outcome : HC_OUTCOME_unknown;
	side->peer_fin = has_flag(connection, HC_FLAG_peer_fin);
	side->unread = close->unread;
	side->unacked = close->unacked;
	side->sent = close->sent;
	side->received = close->received;
	side->drain = connection->drain;
}

static struct ladder_side side_of(const struct connection *connection)
{
	struct ladder_side side = {
		.recorded = true,
		.birth = birth_of(connection),
		.asked_at = connection->asked_at,
		.born_at = connection->born,
		.unread = UINT64_MAX,
		.unacked = UINT64_MAX,
		.sent = UINT64_MAX,
		.received = UINT64_MAX,
	};

	if (connection->shut) {
		side.shut_call = connection->shut_both ? "shutdown(SHUT_RDWR)" : "shutdown(SHUT_WR)";
		side.shut_at = connection->shut_at;
		side.shut_state = connection->shut_state < HC_STATES ? connection->shut_state : HC_STATE_unknown;
		side.deaf = connection->shut_both_early;
	}
	if (connection->close)
		note_close(&side, connection);
	mark_findings(&side, connection);
	return side;
}

static char *program_name(const struct connection *connection)
{
	const char *program = connection ? connection->program : NULL;
	const char *slash = program ? strrchr(program, '/') : NULL;

	program = slash ? slash + 1 : program;
	return program && *program ? say_text(program, strlen(program)) : NULL;
}

static void free_step(void *data)
{
	struct ladder_step *step = data;

	g_free(step->call);
	g_free(step->wire);
	g_free(step->buffers[LADDER_TRACED]);
	g_free(step->buffers[LADDER_PEER]);
}

static struct ladder *ladder_new(const struct connection *connection)
{
	struct ladder *ladder = g_new0(struct ladder, 1);

	ladder->names[LADDER_TRACED] = program_name(connection);
	ladder->names[LADDER_PEER] = program_name(connection->other);
	ladder->addresses[LADDER_TRACED] = connection_local(connection);
	ladder->addresses[LADDER_PEER] = connection_peer(connection);
	ladder->steps = g_array_new(FALSE, FALSE, sizeof(struct ladder_step));
	g_array_set_clear_func(ladder->steps, free_step);
	return ladder;
}

static bool is_backlog(const struct connection *connection)
{
	return connection->close && connection->close->close.outcome == HC_OUTCOME_backlog;
}

static bool has_ladder(const struct connection *connection)
{
	return is_backlog(connection) || connection_is_one(connection) || connection->connecting;
}

/* Both ends; what is not known of the other follows from ours. */
static void sides_of(struct ladder_side sides[LADDER_ENDS], const struct connection *connection)
{
	sides[LADDER_TRACED] = side_of(connection);
	if (connection->other) {
		sides[LADDER_PEER] = side_of(connection->other);
	} else {
		sides[LADDER_PEER] = (struct ladder_side){ .unread = UINT64_MAX, .unacked = UINT64_MAX };
		sides[LADDER_PEER].birth = BIRTH_BEFORE;
	}
}

static enum ladder_end client_of(const struct ladder_side sides[LADDER_ENDS])
{
	return sides[LADDER_TRACED].birth == BIRTH_CONNECT ||
	               (sides[LADDER_TRACED].birth == BIRTH_BEFORE && sides[LADDER_PEER].birth == BIRTH_ACCEPT)
	           ? LADDER_TRACED
	           : LADDER_PEER;
}

static void clear_sides(struct ladder_side sides[LADDER_ENDS])
{
	g_free(sides[LADDER_TRACED].close_call);
	g_free(sides[LADDER_PEER].close_call);
}

struct ladder *ladder_of(const struct connection *connection)
{
	struct ladder_side sides[LADDER_ENDS];
	struct ladder *ladder;

	if (!has_ladder(connection))
		return NULL;
	ladder = ladder_new(connection);
	sides_of(sides, connection);
	ladder->client = client_of(sides);
	if (is_backlog(connection))
		ladder_play_backlog(ladder, &sides[LADDER_TRACED], connection->close->close.waiting, false,
		                    is_unix(connection));
	else
		ladder_play(ladder, sides, is_unix(connection));
	clear_sides(sides);
	return ladder;
}

/* ---- as it should have been ---- */

static bool could_be_better(const struct connection *connection)
{
	if (!connection->close || !has_ladder(connection))
		return false;
	for (const struct rule *rule = rules; rule->id; rule++)
		if (rule->applies(connection))
			return true;
	return connection->teardown == TEARDOWN_active && !connection->other && connection_is_one(connection);
}

/* All that the other end sent is read: what was unread, and what came too late. */
static void cure_reading(struct ladder_side *side, const struct ladder_side *peer)
{
	uint64_t sent = peer->close_call ? peer->sent : UINT64_MAX;
	uint64_t late = known64(sent) && known64(side->received) && sent > side->received ? sent - side->received : 0;

	side->unread = known_or_zero(side->unread) + late;
	if (known64(side->received))
		side->received += late;
}

static void cure(struct ladder_side *side, const struct ladder_side *peer)
{
	bool peer_ended = side->state == HC_STATE_close_wait || side->state == HC_STATE_last_ack;

	cure_reading(side, peer);
	side->unacked = 0;
	side->deaf = side->shut_alarming = false;
	memset(&side->drain, 0, sizeof(side->drain));
	if (peer_ended) { /* all that was missing is to read what had come */
		side->unread = 0;
		side->outcome = HC_OUTCOME_fin;
		return;
	}
	side->shut_call = "shutdown(SHUT_WR)";
	if (!side->shut_at)
		side->shut_state = side->state == HC_STATE_unknown ? HC_STATE_unknown : HC_STATE_established;
	side->reads_on = true;
	side->state = side->state == HC_STATE_unknown ? HC_STATE_unknown : HC_STATE_closed;
	side->peer_fin = true;
	side->outcome = HC_OUTCOME_none;
}

struct ladder *ladder_cured(const struct connection *connection)
{
	struct ladder_side sides[LADDER_ENDS];
	struct ladder *ladder;

	if (!could_be_better(connection))
		return NULL;
	ladder = ladder_new(connection);
	sides_of(sides, connection);
	ladder->client = client_of(sides);
	g_free(sides[LADDER_TRACED].close_call);
	sides[LADDER_TRACED].close_call = is_backlog(connection)
	                                      ? g_strdup("close()")
	                                      : g_strdup_printf("close(%d)", connection->close->close.socket.fd);
	sides[LADDER_TRACED].close_at = 0;
	sides[LADDER_TRACED].close_alarming = false;
	if (is_backlog(connection)) {
		ladder_play_backlog(ladder, &sides[LADDER_TRACED], connection->close->close.waiting, true,
		                    is_unix(connection));
	} else {
		cure(&sides[LADDER_TRACED], &sides[LADDER_PEER]);
		g_free(sides[LADDER_PEER].close_call);
		sides[LADDER_PEER].close_call = NULL; /* when it would have ended is nobody's knowledge */
		sides[LADDER_PEER].shut_call = NULL;
		sides[LADDER_PEER].recorded = sides[LADDER_PEER].birth != BIRTH_BEFORE;
		ladder_play(ladder, sides, is_unix(connection));
	}
	clear_sides(sides);
	return ladder;
}

void ladder_free(struct ladder *ladder)
{
	if (!ladder)
		return;
	for (unsigned i = 0; i < LADDER_ENDS; i++) {
		g_free(ladder->names[i]);
		g_free(ladder->addresses[i]);
	}
	g_array_unref(ladder->steps);
	g_free(ladder);
}

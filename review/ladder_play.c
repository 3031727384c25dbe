/* How it began, call after call, and what is left over in the end. */
#include "ladder_play.h"

#include "ladder_steps.h"
#include "say.h"

static void play_handshake(struct model *model)
{
	enum ladder_end client = model->ladder->client, server = other_end(client);
	const struct ladder_side *asks = &model->sides[client], *takes = &model->sides[server];
	const char *connect = asks->recorded ? "connect()" : NULL;
	struct ladder_step *first;

	if (model->unix_socket) {
		first = model_step(model, client, connect, "connect");
	} else {
		model->state[client] = HC_STATE_syn_sent;
		model->state[server] = HC_STATE_syn_received;
		first = model_step(model, client, connect, "SYN");
	}
	first->order = asks->asked_at ? asks->asked_at : asks->born_at;
	if (!model->unix_socket) {
		model->state[client] = HC_STATE_established;
		model_step(model, server, NULL, "SYN, ACK");
		model->state[server] = HC_STATE_established;
		model_step(model, client, NULL, "ACK");
	}
	if (takes->recorded && takes->birth == BIRTH_ACCEPT)
		model_step(model, server, "accept()", NULL)->order = takes->born_at;
}

/* Asked for, and given up or refused before it came about. */
static void play_attempt(struct model *model)
{
	enum ladder_end client = model->ladder->client;
	struct ladder_side *side = &model->sides[client];
	bool refused = side->close_call && side->state == HC_STATE_closed;
	struct ladder_step *asked;

	model->state[client] = HC_STATE_syn_sent;
	model->state[other_end(client)] = refused ? HC_STATE_closed : HC_STATE_unknown;
	asked = model_step(model, client, "connect()", "SYN");
	asked->order = side->asked_at ? side->asked_at : side->born_at;
	if (refused)
		model_send_reset(model, other_end(client), NULL)->alarming = false;
	else
		asked->lost = true;
	model->state[client] = HC_STATE_closed;
	if (side->close_call)
		model_step(model, client, side->close_call, NULL)->order = side->close_at;
}

static void play_birth(struct model *model)
{
	uint8_t before = model->unix_socket ? HC_STATE_unknown : HC_STATE_established;
	struct ladder_side *traced = &model->sides[LADDER_TRACED], *peer = &model->sides[LADDER_PEER];

	if (traced->birth != BIRTH_BEFORE || (peer->recorded && peer->birth != BIRTH_BEFORE)) {
		play_handshake(model);
		return;
	}
	model->state[LADDER_TRACED] = model->state[LADDER_PEER] = before;
	model_step(model, LADDER_TRACED, "known from here on", NULL)->order = traced->born_at;
}

/* Of two calls the earlier; but one that the other end had not got the FIN of when it
 * made a call that sends nothing comes after that one, unless a reset had come instead. */
static enum ladder_end earlier(const struct model *model)
{
	const struct ladder_side *traced = &model->sides[LADDER_TRACED], *peer = &model->sides[LADDER_PEER];
	enum ladder_end first = side_next_at(peer) < side_next_at(traced) ? LADDER_PEER : LADDER_TRACED,
			second = other_end(first);

	if (side_next_call(&model->sides[second]) != CALL_NONE && !model_next_sends(model, second) &&
	    model_next_sends(model, first) && !side_sees_fin(&model->sides[second]) &&
	    !(side_sees_reset(&model->sides[second]) && side_will_reset(&model->sides[first])))
		return second;
	return first;
}

/* What was sent to an end that had closed is answered by a reset, though nobody who was
 * recorded saw it. */
static void play_late(struct model *model, enum ladder_end end)
{
	if (!model->flows[end].lost || model->reset || !model_has_closed(model, other_end(end)))
		return;
	flow_say_lost(model, end);
	if (!model->unix_socket)
		model_send_reset(model, other_end(end), NULL);
}

/* The other end is not recorded, and has not ended: as if it did so now. */
static void suppose(struct model *model, enum ladder_end end)
{
	enum ladder_end peer = other_end(end);

	if (model->reset || !model->sides[end].close_call || model->sides[peer].recorded || model->fin_sent[peer] ||
	    (model->state[end] != HC_STATE_fin_wait_2 && model->state[end] != HC_STATE_fin_wait_1))
		return;
	model->supposing = true;
	model_send_fin(model, peer, NULL, PASSAGE_AT_ONCE);
}

static void play_end(struct model *model)
{
	model->supposing = model->unseen && !model->reset;
	for (unsigned i = 0; i < LADDER_ENDS; i++) {
		enum ladder_end end = (enum ladder_end)i;

		if (model->fin_sent[end] && !model->fin_taken[end] && !model->reset)
			model_take_fin(model, end);
	}
	model_pay_ack(model, LADDER_TRACED);
	model_pay_ack(model, LADDER_PEER);
	flow_say_read(model, LADDER_TRACED);
	flow_say_read(model, LADDER_PEER);
	play_late(model, LADDER_TRACED);
	play_late(model, LADDER_PEER);
	suppose(model, LADDER_TRACED);
}

static void note_birth(struct ladder *ladder)
{
	for (unsigned i = 0; i < ladder->steps->len; i++) {
		uint64_t order = g_array_index(ladder->steps, struct ladder_step, i).order;

		if (order && (!ladder->born || order < ladder->born))
			ladder->born = order;
	}
}

static bool is_attempt(const struct ladder_side *side)
{
	return side->birth == BIRTH_CONNECT && side->close_call && !known_or_zero(side->sent) &&
	       !known_or_zero(side->received) && !side->peer_fin && !side->shut_call &&
	       (side->state == HC_STATE_syn_sent || side->state == HC_STATE_closed);
}

void ladder_play(struct ladder *ladder, const struct ladder_side sides[LADDER_ENDS], bool unix_socket)
{
	struct model model = { .ladder = ladder, .unix_socket = unix_socket };
	enum ladder_end end;

	for (unsigned i = 0; i < LADDER_ENDS; i++)
		model.sides[i] = sides[i];
	if (!unix_socket) {
		model.state[ladder->client] = HC_STATE_closed;
		model.state[other_end(ladder->client)] = HC_STATE_listening;
	}
	flow_split(&model, LADDER_TRACED);
	flow_split(&model, LADDER_PEER);
	if (!unix_socket && !sides[LADDER_PEER].recorded && is_attempt(&sides[LADDER_TRACED])) {
		play_attempt(&model);
	} else {
		play_birth(&model);
		flow_say_read(&model, ladder->client);
		while (side_next_call(&model.sides[end = earlier(&model)]) != CALL_NONE)
			model_play_next(&model, end);
		play_end(&model);
	}
	note_birth(ladder);
}

void ladder_play_backlog(struct ladder *ladder, const struct ladder_side *listener, unsigned waiting, bool cured,
                         bool unix_socket)
{
	struct model model = { .ladder = ladder, .unix_socket = unix_socket };
	struct ladder_side *side = &model.sides[LADDER_TRACED];
	struct ladder_step *sent;
	char *text;

	ladder->client = LADDER_PEER;
	if (!unix_socket) {
		model.state[LADDER_PEER] = HC_STATE_closed;
		model.state[LADDER_TRACED] = HC_STATE_listening;
	}
	*side = *listener;
	play_handshake(&model);
	text = waiting == UINT32_MAX ? g_strdup("in the queue") : g_strdup_printf("%u in the queue", waiting);
	g_array_index(ladder->steps, struct ladder_step, ladder->steps->len - 1).buffers[LADDER_TRACED] = text;
	if (cured) {
		model_step(&model, LADDER_TRACED, "accept()", NULL);
		side->shut_call = "shutdown(SHUT_WR)";
		side->shut_state = HC_STATE_established;
		side->reads_on = true;
		side->state = HC_STATE_closed;
		side->peer_fin = true;
		side->outcome = HC_OUTCOME_none;
		model_play_next(&model, LADDER_TRACED);
		model_play_next(&model, LADDER_TRACED);
	} else {
		sent = model_send_reset(&model, LADDER_TRACED, side->close_call);
		sent->order = side->close_at;
	}
	note_birth(ladder);
}

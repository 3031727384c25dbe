/* Plays the calls of both ends, and what crosses the wire by them. */
#include "ladder_steps.h"

#include "say.h"

/* ---- states ---- */

static uint8_t after_sending_fin(uint8_t state)
{
	switch (state) {
	case HC_STATE_syn_received:
	case HC_STATE_established:
		return HC_STATE_fin_wait_1;
	case HC_STATE_close_wait:
		return HC_STATE_last_ack;
	default:
		return state;
	}
}

static uint8_t after_fin(uint8_t state)
{
	switch (state) {
	case HC_STATE_syn_received:
	case HC_STATE_established:
		return HC_STATE_close_wait;
	case HC_STATE_fin_wait_1:
		return HC_STATE_closing;
	case HC_STATE_fin_wait_2:
		return HC_STATE_time_wait;
	default:
		return state;
	}
}

static uint8_t after_ack_of_fin(uint8_t state)
{
	switch (state) {
	case HC_STATE_fin_wait_1:
		return HC_STATE_fin_wait_2;
	case HC_STATE_closing:
		return HC_STATE_time_wait;
	case HC_STATE_last_ack:
		return HC_STATE_closed;
	default:
		return state;
	}
}

/* ---- what crosses the wire ---- */

void model_pay_ack(struct model *model, enum ladder_end to)
{
	if (!model->ack_owed[to])
		return;
	model->ack_owed[to] = false;
	model->state[to] = after_ack_of_fin(model->state[to]);
	if (!model->unix_socket)
		model_step(model, other_end(to), NULL, "ACK");
}

void model_take_fin(struct model *model, enum ladder_end from)
{
	model->fin_taken[from] = true;
	model->ack_owed[from] = true;
	model->state[other_end(from)] = after_fin(model->state[other_end(from)]);
}

struct ladder_step *model_send_fin(struct model *model, enum ladder_end end, const char *call, enum passage passage)
{
	enum ladder_end to = other_end(end);
	bool crosses = model->fin_sent[to] && !model->fin_taken[to];
	bool acks = model->ack_owed[to], arrives;
	unsigned place;

	flow_say_read(model, end);
	if (!model->sides[to].reads_on)
		flow_say_unread(model, end);
	if (model->sides[to].close_call && side_next_call(&model->sides[to]) != CALL_CLOSE)
		flow_say_discarded(model, end);
	place = model->ladder->steps->len;
	model->fin_sent[end] = true;
	model->state[end] = after_sending_fin(model->state[end]);
	if (acks) {
		model->ack_owed[to] = false;
		model->state[to] = after_ack_of_fin(model->state[to]);
	}
	arrives = !crosses && passage <= PASSAGE_BEHIND_DATA && side_sees_fin(&model->sides[to]);
	model->unseen = passage == PASSAGE_UNSEEN;
	if (arrives && passage == PASSAGE_AT_ONCE)
		model_take_fin(model, end);
	model_step(model, end, call, acks && !model->unix_socket ? "FIN, ACK" : model_end_word(model));
	if (crosses)
		model_take_fin(model, to);
	if (crosses || (arrives && passage == PASSAGE_BEHIND_DATA))
		model_take_fin(model, end);
	for (unsigned i = 0; i < LADDER_ENDS; i++)
		if (model->ack_owed[i] && !side_waits_for_ack(&model->sides[i]))
			model_pay_ack(model, (enum ladder_end)i);
	return &g_array_index(model->ladder->steps, struct ladder_step, place);
}

struct ladder_step *model_send_reset(struct model *model, enum ladder_end end, const char *call)
{
	struct ladder_step *sent;

	model->reset = true;
	model->ack_owed[LADDER_TRACED] = model->ack_owed[LADDER_PEER] = false;
	if (!model->unix_socket)
		model->state[LADDER_TRACED] = model->state[LADDER_PEER] = HC_STATE_closed;
	sent = model_step(model, end, call, model_reset_word(model));
	sent->alarming = true;
	return sent;
}

/* The end has seen the other's FIN: it must have come. */
static void need_fin(struct model *model, enum ladder_end from)
{
	if (!model->fin_sent[from] && model_next_sends(model, from) &&
	    (side_next_call(&model->sides[from]) == CALL_SHUT || !outcome_is_reset(model->sides[from].outcome)))
		model_play_next(model, from); /* its call is recorded when it is over: a little late */
	if (!model->fin_sent[from]) {
		flow_say_read(model, other_end(from)); /* most ends wait for their answer */
		model_send_fin(model, from, NULL, PASSAGE_AT_ONCE);
	}
	if (!model->fin_taken[from]) {
		model_take_fin(model, from);
		model_pay_ack(model, from);
	}
}

/* The end has been reset. By a call of the other end, or by what it sent to one that is gone. */
static void need_reset(struct model *model, enum ladder_end end)
{
	enum ladder_end from = other_end(end);
	struct ladder_side *side = &model->sides[from];

	if (side_will_reset(side)) {
		while (!model->reset && side_will_reset(side))
			model_play_next(model, from);
		return;
	}
	flow_say_read(model, LADDER_TRACED);
	flow_say_read(model, LADDER_PEER);
	if (model->sides[end].deaf) {
		if (!model->flows[from].lost)
			model->flows[from].some_lost = true;
		flow_say_lost(model, from);
		model_send_reset(model, end, NULL);
		return;
	}
	if (model->fin_taken[from] && !model->flows[end].lost)
		model->flows[end].some_lost = true;
	flow_say_lost(model, end);
	if (!model->fin_taken[from])
		flow_say_lost(model, from);
	model_send_reset(model, from, NULL);
}

/* Brings an end into the state that was recorded. */
static void bring(struct model *model, enum ladder_end end, uint8_t state, bool peer_fin)
{
	switch (state) {
	case HC_STATE_close_wait:
	case HC_STATE_last_ack:
	case HC_STATE_closing:
	case HC_STATE_time_wait:
		need_fin(model, other_end(end));
		break;
	case HC_STATE_fin_wait_2:
		model_pay_ack(model, end);
		break;
	case HC_STATE_closed:
		if (peer_fin && !model->reset)
			need_fin(model, other_end(end));
		model_pay_ack(model, end);
		if (model->state[end] != HC_STATE_closed && model->state[end] != HC_STATE_time_wait)
			need_reset(model, end);
		break;
	case HC_STATE_unknown:
		if (peer_fin && !model->reset)
			need_fin(model, other_end(end));
		break;
	default:
		break;
	}
}

/* ---- calls ---- */

static void mark(struct ladder_step *of, uint64_t at, bool alarming)
{
	of->order = at;
	of->alarming |= alarming;
}

static void play_shut(struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];
	bool cut = side_will_reset(side) && model->flows[end].lost; /* its FIN is behind what never arrives */
	struct ladder_step *sent;

	bring(model, end, side->shut_state, false);
	if (cut) {
		flow_say_read(model, end);
		flow_say_lost(model, end);
	}
	sent = model_send_fin(model, end, side->shut_call, cut ? PASSAGE_NEVER : PASSAGE_AT_ONCE);
	sent->lost = cut;
	mark(sent, side->shut_at, side->shut_alarming);
	if (!side->reads_on)
		return;
	flow_say_read(model, other_end(end));
	flow_say_unread(model, other_end(end));
}

static void play_reset(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	struct ladder_step *sent;

	flow_say_lost(model, other_end(end));
	flow_say_lost(model, end);
	sent = model_send_reset(model, end, side->close_call);
	mark(sent, side->close_at, true);
	sent->buffers[end] = side_buffers(side);
	sent->buffers[other_end(end)] = side_got(&model->sides[other_end(end)], side);
}

static enum passage passage_of(const struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];

	if (!known_or_zero(side->unacked))
		return PASSAGE_AT_ONCE;
	return model->sides[other_end(end)].recorded || side->outcome == HC_OUTCOME_drain ? PASSAGE_BEHIND_DATA
	                                                                                  : PASSAGE_UNSEEN;
}

/* A FIN, or nothing. */
static void play_orderly(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	bool silent = side->outcome == HC_OUTCOME_none || side->outcome == HC_OUTCOME_unknown || model->fin_sent[end];
	struct ladder_step *sent;

	if (side->outcome == HC_OUTCOME_unknown)
		model->state[end] = model->state[other_end(end)] = HC_STATE_unknown;
	sent = silent ? model_step(model, end, side->close_call, NULL)
	              : model_send_fin(model, end, side->close_call, passage_of(model, end));
	sent->buffers[end] = side->reads_on ? NULL : side_buffers(side);
	mark(sent, side->close_at, side->close_alarming);
}

/* Behind data that comes to an end which is gone: it does not count any more. */
static void play_late_close(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	struct ladder_step *sent;

	flow_say_lost(model, end);
	model->state[end] = after_sending_fin(model->state[end]);
	sent = model_step(model, end, side->close_call, model_end_word(model));
	sent->lost = true;
	sent->buffers[end] = side_buffers(side);
	mark(sent, side->close_at, side->close_alarming);
	model_send_reset(model, other_end(end), NULL);
}

/* The reset of the other end was under way already. */
static void play_too_late(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	const char *word = outcome_is_reset(side->outcome) ? model_reset_word(model) : model_end_word(model);
	struct ladder_step *sent = model_step(model, end, side->close_call, model->unix_socket ? NULL : word);

	sent->lost = !model->unix_socket;
	sent->buffers[end] = side_buffers(side);
	mark(sent, side->close_at, side->close_alarming);
}

static void play_close(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];

	bring(model, end, side->state, side->peer_fin);
	flow_say_read(model, other_end(end));
	flow_say_unread(model, other_end(end));
	flow_say_read(model, end);
	if (side->reads_on)
		model_step(model, end, "read() = 0", NULL);
	if (model->reset && side->outcome != HC_OUTCOME_none && side->outcome != HC_OUTCOME_unknown)
		play_too_late(model, end);
	else if (outcome_is_reset(side->outcome))
		play_reset(model, end);
	else if (model->flows[end].lost && model_has_closed(model, other_end(end)) && !model->fin_sent[end] &&
	         !model->reset)
		play_late_close(model, end);
	else
		play_orderly(model, end);
}

static void play_drained(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	struct drain *drain = &side->drain;
	struct ladder_step *over;
	char *call = g_strdup_printf("drain: %s", drain_name(drain->result)), *bytes;

	flow_say_discarded(model, other_end(end));
	if (drain->result == HC_RESULT_eof)
		need_fin(model, other_end(end));
	else if (drain->result == HC_RESULT_reset && !model->reset)
		need_reset(model, end);
	over = model_step(model, end, call, NULL);
	over->order = drain->at;
	if (drain->drained) {
		bytes = say_plural(drain->drained, "byte", "bytes");
		over->buffers[end] = g_strdup_printf("%s read and discarded", bytes);
		g_free(bytes);
	}
	g_free(call);
}

void model_play_next(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	enum call call = side_next_call(side);

	/* before: what happens on the way must not play it again */
	switch (call) {
	case CALL_SHUT:
		side->next++;
		play_shut(model, end);
		break;
	case CALL_CLOSE:
		side->next++;
		play_close(model, end);
		break;
	case CALL_DRAINED:
		side->next++;
		play_drained(model, end);
		break;
	default:
		break;
	}
	/* what it had not got at that call, it gets now */
	if (model->fin_sent[other_end(end)] && !model->fin_taken[other_end(end)] && !model->reset &&
	    side_sees_fin(side)) {
		model_take_fin(model, other_end(end));
		model_pay_ack(model, other_end(end));
	}
	if (model->ack_owed[end] && !side_waits_for_ack(side))
		model_pay_ack(model, end);
}

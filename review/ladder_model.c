#include "ladder_model.h"

#include "say.h"

/* What one end sent, by what became of it. */
struct flow {
	uint64_t read, unread; /* arrived; of that: read, and not */
	uint64_t discarded;    /* arrived after the close, and was read by the drain */
	uint64_t lost;         /* never arrived */
	bool some_lost;        /* it is known that some was, but not how much */
};

struct model {
	struct ladder *ladder;
	struct ladder_side sides[LADDER_ENDS];
	struct flow flows[LADDER_ENDS]; /* by the end that sent */
	bool unix_socket, supposing;
	uint8_t state[LADDER_ENDS];
	bool fin_sent[LADDER_ENDS];  /* by this end */
	bool fin_taken[LADDER_ENDS]; /* this end's has come to the other */
	bool ack_owed[LADDER_ENDS];  /* to this end, for its FIN */
	bool reset;
};

enum call { CALL_NONE, CALL_SHUT, CALL_CLOSE, CALL_DRAINED };

static enum ladder_end other(enum ladder_end end)
{
	return end == LADDER_TRACED ? LADDER_PEER : LADDER_TRACED;
}

/* ---- steps ---- */

/* The end's own step; what crosses goes to the other end. */
static struct ladder_step *step(struct model *model, enum ladder_end end, const char *call, const char *wire)
{
	struct ladder_step new = {
		.supposed = model->supposing,
		.end = end,
		.call = g_strdup(call),
		.arrow = !wire                  ? LADDER_NO_ARROW
		         : end == LADDER_TRACED ? LADDER_TO_PEER
		                                : LADDER_TO_TRACED,
		.wire = g_strdup(wire),
		.states = { model->state[LADDER_TRACED], model->state[LADDER_PEER] },
	};

	g_array_append_val(model->ladder->steps, new);
	return &g_array_index(model->ladder->steps, struct ladder_step, model->ladder->steps->len - 1);
}

static const char *end_word(const struct model *model)
{
	return model->unix_socket ? "end of file" : "FIN";
}

static const char *reset_word(const struct model *model)
{
	return model->unix_socket ? "reset" : "RST";
}

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

/* ---- what is known of an end's calls ---- */

static enum call next_call(const struct ladder_side *side)
{
	enum call calls[4] = { 0 };
	unsigned count = 0;

	if (side->shut_call)
		calls[count++] = CALL_SHUT;
	if (side->close_call)
		calls[count++] = CALL_CLOSE;
	if (side->close_call && side->outcome == HC_OUTCOME_drain && side->drain.at)
		calls[count++] = CALL_DRAINED;
	return calls[MIN(side->next, 3)];
}

static uint64_t next_at(const struct ladder_side *side)
{
	switch (next_call(side)) {
	case CALL_SHUT:
		return side->shut_at;
	case CALL_CLOSE:
		return side->close_at;
	case CALL_DRAINED:
		return side->drain.at;
	default:
		return UINT64_MAX;
	}
}

/* The state that was recorded before its next call. */
static uint8_t next_state(const struct ladder_side *side)
{
	switch (next_call(side)) {
	case CALL_SHUT:
		return side->shut_state;
	case CALL_CLOSE:
		return side->state;
	default:
		return HC_STATE_unknown;
	}
}

static bool is_reset(uint8_t outcome)
{
	return outcome == HC_OUTCOME_reset_unread || outcome == HC_OUTCOME_reset_linger;
}

/* Had a FIN that was sent before its next call come to it by then? */
static bool sees_fin(const struct ladder_side *side)
{
	switch (next_state(side)) {
	case HC_STATE_established:
	case HC_STATE_fin_wait_1:
	case HC_STATE_fin_wait_2:
		return false;
	case HC_STATE_closed:
		return next_call(side) != CALL_CLOSE || side->peer_fin;
	default:
		return true;
	}
}

/* Was its own FIN still not acknowledged at its next call? */
static bool waits_for_ack(const struct ladder_side *side)
{
	uint8_t state = next_state(side);

	return state == HC_STATE_fin_wait_1 || state == HC_STATE_closing || state == HC_STATE_last_ack;
}

/* Will its next call send a FIN or a reset? */
static bool next_sends(const struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];

	switch (next_call(side)) {
	case CALL_SHUT:
		return true;
	case CALL_CLOSE:
		return is_reset(side->outcome) || (!model->fin_sent[end] && side->outcome != HC_OUTCOME_none);
	default:
		return false;
	}
}

/* ---- data ---- */

static void split_flow(struct model *model, enum ladder_end from)
{
	const struct ladder_side *sender = &model->sides[from], *receiver = &model->sides[other(from)];
	uint64_t sent = sender->close_call ? sender->sent : UINT64_MAX;
	uint64_t got = receiver->close_call ? receiver->received : UINT64_MAX;
	uint64_t total = known64(sent) ? sent : known_or_zero(got), arrived = known64(got) ? MIN(got, total) : total;
	bool cut = sender->close_call && (is_reset(sender->outcome) || sender->state == HC_STATE_closed);
	struct flow *flow = &model->flows[from];

	if (!known64(got) && cut)
		arrived -= MIN(arrived, known_or_zero(sender->unacked));
	flow->unread = receiver->close_call ? known_or_zero(receiver->unread) : 0;
	if (known64(got))
		flow->unread = MIN(flow->unread, arrived);
	flow->read = arrived - MIN(flow->unread, arrived);
	flow->lost = total - arrived;
	if (receiver->close_call && receiver->outcome == HC_OUTCOME_drain) {
		/* what was unread at the close is the first that is discarded */
		flow->discarded = receiver->drain.drained - MIN(receiver->drain.drained, flow->unread);
		flow->lost -= MIN(flow->lost, flow->discarded);
	}
}

static struct ladder_step *data_step(struct model *model, enum ladder_end from, uint64_t bytes, const char *what)
{
	char *size = say_plural(bytes, "byte", "bytes"), *wire = g_strconcat("data, ", size, what, NULL);
	struct ladder_step *data = step(model, from, NULL, wire);

	g_free(wire);
	g_free(size);
	return data;
}

static void say_read(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];

	if (flow->read)
		data_step(model, from, flow->read, "");
	flow->read = 0;
}

static void say_unread(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];

	if (flow->unread)
		data_step(model, from, flow->unread, is_reset(model->sides[other(from)].outcome) ? ", never read" : "");
	flow->unread = 0;
}

/* What the drain of the other end takes. */
static void say_discarded(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];

	if (flow->discarded)
		data_step(model, from, flow->discarded, "");
	flow->discarded = 0;
}

static void say_lost(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];
	struct ladder_step *data = NULL;

	if (flow->lost)
		data = data_step(model, from, flow->lost, "");
	else if (flow->some_lost)
		data = step(model, from, NULL, "data");
	if (data) {
		data->lost = true;
		data->alarming = true;
	}
	flow->lost = 0;
	flow->some_lost = false;
}

static char *buffers_of(const struct ladder_side *side)
{
	GString *text = g_string_new(NULL);
	char *bytes;

	if (known_or_zero(side->unread)) {
		bytes = say_plural(side->unread, "byte", "bytes");
		g_string_append_printf(text, "%s unread", bytes);
		g_free(bytes);
	}
	if (known_or_zero(side->unacked)) {
		bytes = say_plural(side->unacked, "byte", "bytes");
		g_string_append_printf(text, "%s%s unacknowledged", text->len ? ", " : "", bytes);
		g_free(bytes);
	}
	return g_string_free(text, text->len == 0);
}

/* What the other end had got of this end's, where both are recorded. */
static char *got_of(const struct ladder_side *side, const struct ladder_side *from)
{
	char *got, *sent, *text;

	if (!side->close_call || !from->close_call || !known64(side->received) || !known64(from->sent) ||
	    side->received >= from->sent)
		return NULL;
	got = say_count(side->received);
	sent = say_plural(from->sent, "byte", "bytes");
	text = g_strdup_printf("got %s of %s", got, sent);
	g_free(got);
	g_free(sent);
	return text;
}

/* ---- what crosses the wire ---- */

static void play_next(struct model *model, enum ladder_end end);

static void pay_ack(struct model *model, enum ladder_end to)
{
	if (!model->ack_owed[to])
		return;
	model->ack_owed[to] = false;
	model->state[to] = after_ack_of_fin(model->state[to]);
	if (!model->unix_socket)
		step(model, other(to), NULL, "ACK");
}

/* The FIN of an end comes to the other. */
static void take_fin(struct model *model, enum ladder_end from)
{
	model->fin_taken[from] = true;
	model->ack_owed[from] = true;
	model->state[other(from)] = after_fin(model->state[other(from)]);
}

static struct ladder_step *send_fin(struct model *model, enum ladder_end end, const char *call)
{
	enum ladder_end to = other(end);
	bool crosses = model->fin_sent[to] && !model->fin_taken[to];
	bool acks = model->ack_owed[to];
	unsigned place;

	say_read(model, end);
	if (!model->sides[to].reads_on)
		say_unread(model, end);
	if (model->sides[to].close_call && next_call(&model->sides[to]) != CALL_CLOSE)
		say_discarded(model, end);
	place = model->ladder->steps->len;
	model->fin_sent[end] = true;
	model->state[end] = after_sending_fin(model->state[end]);
	if (acks) {
		model->ack_owed[to] = false;
		model->state[to] = after_ack_of_fin(model->state[to]);
	}
	if (!crosses && sees_fin(&model->sides[to]))
		take_fin(model, end);
	step(model, end, call, acks && !model->unix_socket ? "FIN, ACK" : end_word(model));
	if (crosses) {
		take_fin(model, end);
		take_fin(model, to);
	}
	for (unsigned i = 0; i < LADDER_ENDS; i++)
		if (model->ack_owed[i] && !waits_for_ack(&model->sides[i]))
			pay_ack(model, (enum ladder_end)i);
	return &g_array_index(model->ladder->steps, struct ladder_step, place);
}

static struct ladder_step *send_reset(struct model *model, enum ladder_end end, const char *call)
{
	struct ladder_step *sent;

	model->reset = true;
	model->ack_owed[LADDER_TRACED] = model->ack_owed[LADDER_PEER] = false;
	if (!model->unix_socket)
		model->state[LADDER_TRACED] = model->state[LADDER_PEER] = HC_STATE_closed;
	sent = step(model, end, call, reset_word(model));
	sent->alarming = true;
	return sent;
}

/* The end has seen the other's FIN: it must have come. */
static void need_fin(struct model *model, enum ladder_end from)
{
	if (!model->fin_sent[from] && next_sends(model, from) &&
	    (next_call(&model->sides[from]) == CALL_SHUT || !is_reset(model->sides[from].outcome)))
		play_next(model, from); /* its call is recorded when it is over: a little late */
	if (!model->fin_sent[from]) {
		say_read(model, other(from)); /* most ends wait for their answer */
		send_fin(model, from, NULL);
	}
	if (!model->fin_taken[from]) {
		take_fin(model, from);
		pay_ack(model, from);
	}
}

/* The end has been reset. By a call of the other end, or by what it sent to one that is gone. */
static void need_reset(struct model *model, enum ladder_end end)
{
	enum ladder_end from = other(end);
	struct ladder_side *side = &model->sides[from];

	if (next_call(side) == CALL_CLOSE && is_reset(side->outcome)) {
		play_next(model, from);
		return;
	}
	say_read(model, LADDER_TRACED);
	say_read(model, LADDER_PEER);
	if (model->sides[end].deaf) {
		if (!model->flows[from].lost)
			model->flows[from].some_lost = true;
		say_lost(model, from);
		send_reset(model, end, NULL);
		return;
	}
	if (model->fin_taken[from] && !model->flows[end].lost)
		model->flows[end].some_lost = true;
	say_lost(model, end);
	if (!model->fin_taken[from])
		say_lost(model, from);
	send_reset(model, from, NULL);
}

/* Brings an end into the state that was recorded. */
static void bring(struct model *model, enum ladder_end end, uint8_t state, bool peer_fin)
{
	switch (state) {
	case HC_STATE_close_wait:
	case HC_STATE_last_ack:
	case HC_STATE_closing:
	case HC_STATE_time_wait:
		need_fin(model, other(end));
		break;
	case HC_STATE_fin_wait_2:
		pay_ack(model, end);
		break;
	case HC_STATE_closed:
		if (peer_fin && !model->reset)
			need_fin(model, other(end));
		pay_ack(model, end);
		if (model->state[end] != HC_STATE_closed && model->state[end] != HC_STATE_time_wait)
			need_reset(model, end);
		break;
	case HC_STATE_unknown:
		if (peer_fin && !model->reset)
			need_fin(model, other(end));
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

/* Has its last call been played, and did it leave nobody who reads? */
static bool has_closed(const struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];

	return side->close_call && next_call(side) == CALL_NONE && side->outcome == HC_OUTCOME_fin;
}

static void play_shut(struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];

	bring(model, end, side->shut_state, false);
	mark(send_fin(model, end, side->shut_call), side->shut_at, side->shut_alarming);
	if (!side->reads_on)
		return;
	say_read(model, other(end));
	say_unread(model, other(end));
}

static void play_reset(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	struct ladder_step *sent;

	say_lost(model, other(end));
	say_lost(model, end);
	sent = send_reset(model, end, side->close_call);
	mark(sent, side->close_at, true);
	sent->buffers[end] = buffers_of(side);
	sent->buffers[other(end)] = got_of(&model->sides[other(end)], side);
}

/* A FIN, or nothing. */
static void play_orderly(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	bool silent = side->outcome == HC_OUTCOME_none || side->outcome == HC_OUTCOME_unknown || model->fin_sent[end];
	struct ladder_step *sent;

	if (side->outcome == HC_OUTCOME_unknown)
		model->state[end] = model->state[other(end)] = HC_STATE_unknown;
	sent = silent ? step(model, end, side->close_call, NULL) : send_fin(model, end, side->close_call);
	sent->buffers[end] = side->reads_on ? NULL : buffers_of(side);
	mark(sent, side->close_at, side->close_alarming);
}

/* Behind data that comes to an end which is gone: it does not count any more. */
static void play_late_close(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	struct ladder_step *sent;

	say_lost(model, end);
	model->state[end] = after_sending_fin(model->state[end]);
	sent = step(model, end, side->close_call, end_word(model));
	sent->lost = true;
	sent->buffers[end] = buffers_of(side);
	mark(sent, side->close_at, side->close_alarming);
	send_reset(model, other(end), NULL);
}

/* The reset of the other end was under way already. */
static void play_too_late(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	const char *word = is_reset(side->outcome) ? reset_word(model) : end_word(model);
	struct ladder_step *sent = step(model, end, side->close_call, model->unix_socket ? NULL : word);

	sent->lost = !model->unix_socket;
	sent->buffers[end] = buffers_of(side);
	mark(sent, side->close_at, side->close_alarming);
}

static void play_close(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];

	bring(model, end, side->state, side->peer_fin);
	say_read(model, other(end));
	say_unread(model, other(end));
	say_read(model, end);
	if (side->reads_on)
		step(model, end, "read() = 0", NULL);
	if (model->reset && side->outcome != HC_OUTCOME_none && side->outcome != HC_OUTCOME_unknown)
		play_too_late(model, end);
	else if (is_reset(side->outcome))
		play_reset(model, end);
	else if (model->flows[end].lost && has_closed(model, other(end)) && !model->fin_sent[end] && !model->reset)
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

	say_discarded(model, other(end));
	if (drain->result == HC_RESULT_eof)
		need_fin(model, other(end));
	else if (drain->result == HC_RESULT_reset && !model->reset)
		need_reset(model, end);
	over = step(model, end, call, NULL);
	over->order = drain->at;
	if (drain->drained) {
		bytes = say_plural(drain->drained, "byte", "bytes");
		over->buffers[end] = g_strdup_printf("%s read and discarded", bytes);
		g_free(bytes);
	}
	g_free(call);
}

static void play_next(struct model *model, enum ladder_end end)
{
	struct ladder_side *side = &model->sides[end];
	enum call call = next_call(side);

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
	if (model->fin_sent[other(end)] && !model->fin_taken[other(end)] && !model->reset && sees_fin(side)) {
		take_fin(model, other(end));
		pay_ack(model, other(end));
	}
	if (model->ack_owed[end] && !waits_for_ack(side))
		pay_ack(model, end);
}

/* ---- the beginning and the end ---- */

static void play_handshake(struct model *model)
{
	enum ladder_end client = model->ladder->client, server = other(client);
	const struct ladder_side *asks = &model->sides[client], *takes = &model->sides[server];
	const char *connect = asks->recorded ? "connect()" : NULL;
	struct ladder_step *first;

	if (model->unix_socket) {
		first = step(model, client, connect, "connect");
	} else {
		model->state[client] = HC_STATE_syn_sent;
		model->state[server] = HC_STATE_syn_received;
		first = step(model, client, connect, "SYN");
	}
	first->order = asks->asked_at ? asks->asked_at : asks->born_at;
	if (!model->unix_socket) {
		model->state[client] = HC_STATE_established;
		step(model, server, NULL, "SYN, ACK");
		model->state[server] = HC_STATE_established;
		step(model, client, NULL, "ACK");
	}
	if (takes->recorded && takes->birth == BIRTH_ACCEPT)
		step(model, server, "accept()", NULL)->order = takes->born_at;
}

/* Asked for, and given up or refused before it came about. */
static void play_attempt(struct model *model)
{
	enum ladder_end client = model->ladder->client;
	struct ladder_side *side = &model->sides[client];
	bool refused = side->close_call && side->state == HC_STATE_closed;
	struct ladder_step *asked;

	model->state[client] = HC_STATE_syn_sent;
	model->state[other(client)] = refused ? HC_STATE_closed : HC_STATE_unknown;
	asked = step(model, client, "connect()", "SYN");
	asked->order = side->asked_at ? side->asked_at : side->born_at;
	if (refused)
		send_reset(model, other(client), NULL)->alarming = false;
	else
		asked->lost = true;
	model->state[client] = HC_STATE_closed;
	if (side->close_call)
		step(model, client, side->close_call, NULL)->order = side->close_at;
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
	step(model, LADDER_TRACED, "known from here on", NULL)->order = traced->born_at;
}

/* Of two calls the earlier; but one that the other end had not got the FIN of when it
 * made a call that sends nothing comes after that one. */
static enum ladder_end earlier(const struct model *model)
{
	const struct ladder_side *traced = &model->sides[LADDER_TRACED], *peer = &model->sides[LADDER_PEER];
	enum ladder_end first = next_at(peer) < next_at(traced) ? LADDER_PEER : LADDER_TRACED, second = other(first);

	if (next_call(&model->sides[second]) != CALL_NONE && !next_sends(model, second) && next_sends(model, first) &&
	    !sees_fin(&model->sides[second]))
		return second;
	return first;
}

/* What was sent to an end that had closed is answered by a reset, though nobody who was
 * recorded saw it. */
static void play_late(struct model *model, enum ladder_end end)
{
	if (!model->flows[end].lost || model->reset || !has_closed(model, other(end)))
		return;
	say_lost(model, end);
	if (!model->unix_socket)
		send_reset(model, other(end), NULL);
}

/* The other end is not recorded, and has not ended: as if it did so now. */
static void suppose(struct model *model, enum ladder_end end)
{
	enum ladder_end peer = other(end);

	if (model->reset || !model->sides[end].close_call || model->sides[peer].recorded || model->fin_sent[peer] ||
	    (model->state[end] != HC_STATE_fin_wait_2 && model->state[end] != HC_STATE_fin_wait_1))
		return;
	model->supposing = true;
	send_fin(model, peer, NULL);
}

static void play_end(struct model *model)
{
	for (unsigned i = 0; i < LADDER_ENDS; i++) {
		enum ladder_end end = (enum ladder_end)i;

		if (model->fin_sent[end] && !model->fin_taken[end] && !model->reset)
			take_fin(model, end);
	}
	pay_ack(model, LADDER_TRACED);
	pay_ack(model, LADDER_PEER);
	say_read(model, LADDER_TRACED);
	say_read(model, LADDER_PEER);
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
		model.state[other(ladder->client)] = HC_STATE_listening;
	}
	split_flow(&model, LADDER_TRACED);
	split_flow(&model, LADDER_PEER);
	if (!unix_socket && !sides[LADDER_PEER].recorded && is_attempt(&sides[LADDER_TRACED])) {
		play_attempt(&model);
	} else {
		play_birth(&model);
		say_read(&model, ladder->client);
		while (next_call(&model.sides[end = earlier(&model)]) != CALL_NONE)
			play_next(&model, end);
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
		step(&model, LADDER_TRACED, "accept()", NULL);
		side->shut_call = "shutdown(SHUT_WR)";
		side->shut_state = HC_STATE_established;
		side->reads_on = true;
		side->state = HC_STATE_closed;
		side->peer_fin = true;
		side->outcome = HC_OUTCOME_none;
		play_next(&model, LADDER_TRACED);
		play_next(&model, LADDER_TRACED);
	} else {
		sent = send_reset(&model, LADDER_TRACED, side->close_call);
		sent->order = side->close_at;
	}
	note_birth(ladder);
}

#include "ladder_steps.h"

#include "say.h"

/* ---- steps ---- */

struct ladder_step *model_step(struct model *model, enum ladder_end end, const char *call, const char *wire)
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

const char *model_end_word(const struct model *model)
{
	return model->unix_socket ? "end of file" : "FIN";
}

const char *model_reset_word(const struct model *model)
{
	return model->unix_socket ? "reset" : "RST";
}

/* ---- data ---- */

void flow_split(struct model *model, enum ladder_end from)
{
	const struct ladder_side *sender = &model->sides[from], *receiver = &model->sides[other_end(from)];
	uint64_t sent = sender->close_call ? sender->sent : UINT64_MAX;
	uint64_t got = receiver->close_call ? receiver->received : UINT64_MAX;
	uint64_t total = known64(sent) ? sent : known_or_zero(got), arrived = known64(got) ? MIN(got, total) : total;
	bool cut = sender->close_call && (outcome_is_reset(sender->outcome) || sender->state == HC_STATE_closed);
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
	struct ladder_step *data = model_step(model, from, NULL, wire);

	g_free(wire);
	g_free(size);
	return data;
}

void flow_say_read(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];

	if (flow->read)
		data_step(model, from, flow->read, "");
	flow->read = 0;
}

void flow_say_unread(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];

	if (flow->unread)
		data_step(model, from, flow->unread,
		          outcome_is_reset(model->sides[other_end(from)].outcome) ? ", never read" : "");
	flow->unread = 0;
}

void flow_say_discarded(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];

	if (flow->discarded)
		data_step(model, from, flow->discarded, "");
	flow->discarded = 0;
}

void flow_say_lost(struct model *model, enum ladder_end from)
{
	struct flow *flow = &model->flows[from];
	struct ladder_step *data = NULL;

	if (flow->lost)
		data = data_step(model, from, flow->lost, "");
	else if (flow->some_lost)
		data = model_step(model, from, NULL, "data");
	if (data) {
		data->lost = true;
		data->alarming = true;
	}
	flow->lost = 0;
	flow->some_lost = false;
}

char *side_buffers(const struct ladder_side *side)
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

char *side_got(const struct ladder_side *side, const struct ladder_side *from)
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

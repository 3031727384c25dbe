/* What is known of the calls of an end, and which comes next. */
#include "ladder_steps.h"

enum call side_next_call(const struct ladder_side *side)
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

uint64_t side_next_at(const struct ladder_side *side)
{
	switch (side_next_call(side)) {
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
	switch (side_next_call(side)) {
	case CALL_SHUT:
		return side->shut_state;
	case CALL_CLOSE:
		return side->state;
	default:
		return HC_STATE_unknown;
	}
}

bool side_sees_fin(const struct ladder_side *side)
{
	switch (next_state(side)) {
	case HC_STATE_established:
	case HC_STATE_fin_wait_1:
	case HC_STATE_fin_wait_2:
		return false;
	case HC_STATE_closed:
		return side_next_call(side) != CALL_CLOSE || side->peer_fin;
	default:
		return true;
	}
}

bool side_will_reset(const struct ladder_side *side)
{
	enum call call = side_next_call(side);

	return (call == CALL_SHUT || call == CALL_CLOSE) && side->close_call && outcome_is_reset(side->outcome);
}

bool side_sees_reset(const struct ladder_side *side)
{
	return next_state(side) == HC_STATE_closed && !side_sees_fin(side);
}

bool side_waits_for_ack(const struct ladder_side *side)
{
	uint8_t state = next_state(side);

	return state == HC_STATE_fin_wait_1 || state == HC_STATE_closing || state == HC_STATE_last_ack;
}

bool model_next_sends(const struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];

	switch (side_next_call(side)) {
	case CALL_SHUT:
		return true;
	case CALL_CLOSE:
		return outcome_is_reset(side->outcome) || (!model->fin_sent[end] && side->outcome != HC_OUTCOME_none);
	default:
		return false;
	}
}

bool model_has_closed(const struct model *model, enum ladder_end end)
{
	const struct ladder_side *side = &model->sides[end];

	return side->close_call && side_next_call(side) == CALL_NONE && side->outcome == HC_OUTCOME_fin;
}

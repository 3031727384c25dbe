/* What the playing of a ladder works on: its ends by now, and the steps that it has. */
#ifndef REVIEW_LADDER_STEPS_H
#define REVIEW_LADDER_STEPS_H

#include "ladder_play.h"

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
	bool unseen; /* whether the FIN that is on its way has come */
	uint8_t state[LADDER_ENDS];
	bool fin_sent[LADDER_ENDS];  /* by this end */
	bool fin_taken[LADDER_ENDS]; /* this end's has come to the other */
	bool ack_owed[LADDER_ENDS];  /* to this end, for its FIN */
	bool reset;
};

enum call { CALL_NONE, CALL_SHUT, CALL_CLOSE, CALL_DRAINED };

/* How a FIN comes to the other end. */
enum passage {
	PASSAGE_AT_ONCE,
	PASSAGE_BEHIND_DATA, /* that is not acknowledged yet, and may wait for a window */
	PASSAGE_UNSEEN,      /* likewise, and nothing is known of what came after */
	PASSAGE_NEVER,
};

static inline enum ladder_end other_end(enum ladder_end end)
{
	return end == LADDER_TRACED ? LADDER_PEER : LADDER_TRACED;
}

static inline bool outcome_is_reset(uint8_t outcome)
{
	return outcome == HC_OUTCOME_reset_unread || outcome == HC_OUTCOME_reset_linger;
}

/* ladder_steps.c */

/* The end's own step; what crosses goes to the other end. Valid until the next one. */
struct ladder_step *model_step(struct model *model, enum ladder_end end, const char *call, const char *wire);
const char *model_end_word(const struct model *model);
const char *model_reset_word(const struct model *model);

/* What each end sent, in pieces that are said once, as late as can be. */
void flow_split(struct model *model, enum ladder_end from);
void flow_say_read(struct model *model, enum ladder_end from);
void flow_say_unread(struct model *model, enum ladder_end from);
void flow_say_discarded(struct model *model, enum ladder_end from); /* what the drain of the other end takes */
void flow_say_lost(struct model *model, enum ladder_end from);

/* New text; NULL: nothing to say. */
char *side_buffers(const struct ladder_side *side);
char *side_got(const struct ladder_side *side, const struct ladder_side *from); /* of what was sent */

/* ladder_calls.c */
enum call side_next_call(const struct ladder_side *side);
uint64_t side_next_at(const struct ladder_side *side);
/* Had a FIN that was sent before its next call come to it by then? */
bool side_sees_fin(const struct ladder_side *side);
/* Was its own FIN still not acknowledged at its next call? */
bool side_waits_for_ack(const struct ladder_side *side);
/* Will its next call send a FIN or a reset? */
bool model_next_sends(const struct model *model, enum ladder_end end);
/* Will a call that is still to come reset the connection? */
bool side_will_reset(const struct ladder_side *side);
/* Had the connection been reset before its next call? */
bool side_sees_reset(const struct ladder_side *side);
/* Has its last call been played, and did it leave nobody who reads? */
bool model_has_closed(const struct model *model, enum ladder_end end);

/* ladder_model.c */
void model_play_next(struct model *model, enum ladder_end end);
struct ladder_step *model_send_fin(struct model *model, enum ladder_end end, const char *call, enum passage passage);
struct ladder_step *model_send_reset(struct model *model, enum ladder_end end, const char *call);
void model_take_fin(struct model *model, enum ladder_end from); /* it comes to the other end */
void model_pay_ack(struct model *model, enum ladder_end to);    /* if one is owed */

#endif

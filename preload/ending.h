/*
 * The story of one descriptor's end: table -> probe -> verdict -> holders ->
 * record and warning. The hooks run it around the real call:
 *
 *   struct hc_ending ending;
 *   bool followed = hc_ending_begin(&ending, fd, HC_HOW_close, caller, sure);
 *   result = the real call;
 *   if (followed)
 *           hc_ending_finish(&ending);   or hc_ending_undo(), if it failed
 *
 * sure: the real call can't fail, or ends the descriptor even then. Only such an
 * end is made graceful, which begin does: it can't be undone.
 *
 * begin takes the number out of the table before the real call frees it, since
 * another thread can be given it at once. All three leave errno as it was.
 */
#ifndef HALFCLOSE_ENDING_H
#define HALFCLOSE_ENDING_H

#include "diag.h"
#include "fdtab.h"
#include "graceful.h"
#include "holders.h"
#include "probe.h"

struct hc_ending {
	int fd;
	enum hc_how how;
	const void *caller;
	struct hc_fd entry;
	uint32_t epoch; /* hc_self.epoch when it began */
	bool released; /* its holder's count was taken down */
	struct hc_facts facts;
	uint64_t t;
	enum hc_outcome outcome;
	bool last;     /* certainly the socket's last descriptor anywhere */
	bool graceful; /* it was shut down and drained, or is being drained */
	struct hc_drained drained;
	bool ask; /* the kernel, after the close, who holds it still */
	struct hc_identity identity; /* where ask is set */
	struct hc_address local, peer; /* of a close that warns */
};

/* The caller's return address, in a hook itself. */
#define HC_CALLER __builtin_return_address(0)

bool hc_ending_begin_slow(struct hc_ending *ending, int fd, enum hc_how how, const void *caller, bool sure);

/* One load for what is not followed. */
static inline bool hc_ending_begin(struct hc_ending *ending, int fd, enum hc_how how, const void *caller, bool sure)
{
	return unlikely(hc_fd_word(fd)) && hc_ending_begin_slow(ending, fd, how, caller, sure);
}

void hc_ending_finish(struct hc_ending *ending);
void hc_ending_undo(struct hc_ending *ending);

/* The process ends: every followed descriptor ends with it. Afterwards nothing
 * is followed any more. */
void hc_ending_process(enum hc_how how, int status, const void *caller);

/* The program is about to be replaced: records the ends of what has
 * close-on-exec. Nothing is taken out of the table: the exec may fail. */
void hc_ending_exec(const void *caller);

/* Numbers [first, last] end at once; false where nothing followed is there. */
bool hc_ending_any(unsigned first, unsigned last);

#endif

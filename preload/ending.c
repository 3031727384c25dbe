#include "ending.h"
#include "crossing.h"
#include "family.h"
#include "options.h"
#include "polls.h"
#include "recorder.h"
#include "sharing.h"
#include "stack.h"
#include "warn.h"

#include <string.h>

/* Did another thread fork while this end was under way? The child may hold the
 * socket, and no table says so. */
static bool was_overtaken(const struct hc_ending *ending)
{
	return ending->epoch != atomic_load(&hc_self.epoch) || atomic_load(&hc_self.forking);
}

/* Facts say what the close of the last descriptor would do; this says whether it
 * is the last. What the family knows is enough where nothing abrupt is claimed;
 * a reset is claimed on the kernel's word wherever sharing is possible. */
static void judge_sharing(struct hc_ending *ending, uint32_t word, enum hc_holding left)
{
	bool abrupt = hc_is_abrupt(ending->outcome);
	ending->last = false;

	if (left == HC_HOLDING_self || (left == HC_HOLDING_family && !abrupt)) {
		ending->outcome = HC_OUTCOME_shared;
		return;
	}
	/* the kernel does not find what is closed, nor does it matter who holds it */
	if (ending->outcome == HC_OUTCOME_unknown || ending->facts.state == HC_STATE_closed)
		return;
	bool outside = hc_went_outside(ending->fd, &ending->entry, word);
	ending->last = left == HC_HOLDING_none && !outside && !atomic_load(&hc_self.forking);
	if (!abrupt && !outside && left == HC_HOLDING_none)
		return;
	/* its answer counts only if it finds the socket while we hold it: not in
	 * another network namespace, nor among listeners that share a port */
	if (hc_diag_identity(ending->fd, word, &ending->identity) && hc_diag_still_held(&ending->identity) == 1) {
		ending->ask = true;
		ending->entry.cookie = ending->identity.cookie;
	} else if (left == HC_HOLDING_family) {
		ending->outcome = HC_OUTCOME_shared;
	} else if (left != HC_HOLDING_none || outside) {
		ending->outcome = HC_OUTCOME_unknown;
	}
}

/* SO_LINGER 0 is asked for: news only where it destroys something. */
static bool is_to_be_warned_of(const struct hc_ending *ending)
{
	return hc_options.WARN == HC_WARN_STDERR && hc_is_abrupt(ending->outcome) &&
	       (ending->outcome != HC_OUTCOME_reset_linger || ending->facts.unacked);
}

static void name_for_warning(struct hc_ending *ending)
{
	if (!is_to_be_warned_of(ending))
		return;
	hc_probe_local(ending->fd, &ending->local);
	if (ending->outcome != HC_OUTCOME_backlog)
		hc_probe_peer(ending->fd, &ending->peer);
}

/* false: the table was out of date, this is no socket that we follow. */
static bool look(struct hc_ending *ending, uint32_t word)
{
	ending->ask = ending->graceful = false;
	ending->last = true;
	ending->local.family = ending->peer.family = 0;
	/* SO_LINGER is the socket's: another holder may have set it */
	uint32_t asked = word | (hc_possibly_shared(&ending->entry, word) ? HC_FD_COPIED : 0u);
	bool full = hc_self.recording || hc_options.GRACEFUL;
	if (!hc_probe_close(ending->fd, asked, full, &ending->facts))
		return false;
	ending->t = hc_self.recording ? hc_now() : 0;
	ending->outcome = hc_verdict(&ending->facts);
	return true;
}

/* To learn who else holds it took longer than all else: input may have come. */
static void look_again(struct hc_ending *ending, uint32_t word)
{
	struct hc_facts facts;
	bool full = hc_self.recording || hc_options.GRACEFUL;
	if (!hc_probe_close(ending->fd, word | HC_FD_COPIED, full, &facts))
		return;
	ending->facts = facts;
	ending->outcome = hc_verdict(&facts);
}

static uint32_t flags_of(const struct hc_ending *ending)
{
	uint32_t word = atomic_load_explicit(&ending->entry.word, memory_order_relaxed);
	const struct hc_facts *facts = &ending->facts;
	return (facts->oob ? HC_FLAG_oob : 0u) | (facts->peer_fin ? HC_FLAG_peer_fin : 0u) |
	       (word & HC_FD_CONNECTED ? HC_FLAG_connected : 0u) | (word & HC_FD_ACCEPTED ? HC_FLAG_accepted : 0u) |
	       (ending->ask ? HC_FLAG_asked : 0u) |
	       (facts->unread_known || facts->state != HC_STATE_unknown ? 0u : HC_FLAG_sandboxed);
}

static void record(const struct hc_ending *ending)
{
	const struct hc_facts *facts = &ending->facts;
	const struct hc_fd *entry = &ending->entry;
	struct hc_frame frames[HC_STACK_MAX];
	size_t depth = 0, used = 0;

	if (hc_options.STACK >= HC_STACK_ALL ||
	    (hc_options.STACK == HC_STACK_FINDINGS && hc_is_abrupt(ending->outcome)))
		depth = hc_stack_take(frames, (size_t)hc_options.STACK_DEPTH);
	struct hc_close *event = hc_record_at(HC_EVENT_close, depth * sizeof *frames, ending->t);
	if (!event)
		return;
	hc_record_socket(&event->socket, ending->fd, entry);
	event->how = (uint8_t)ending->how;
	event->state = (uint8_t)facts->state;
	event->outcome = (uint8_t)ending->outcome;
	event->flags = flags_of(ending);
	event->waiting = facts->state == HC_STATE_listening ? facts->waiting : UINT32_MAX;
	event->unread = facts->unread_known ? facts->unread : UINT64_MAX;
	event->unacked = facts->counted ? facts->unacked : UINT64_MAX;
	event->sent = facts->counted ? facts->sent : UINT64_MAX;
	event->received = facts->counted ? facts->received : UINT64_MAX;
	event->us = ending->t > entry->born ? (ending->t - entry->born) / 1000 : 0;
	event->stack = hc_tail(event, &used, frames, depth * sizeof *frames);
	hc_commit(event);
}

static void say(const struct hc_ending *ending)
{
	if (hc_self.recording) {
		record(ending);
		if (ending->graceful)
			hc_record_drained(ending->fd, &ending->entry, &ending->drained);
	}
	if (!is_to_be_warned_of(ending))
		return;
	struct hc_warning warning = {
		.how = ending->how,
		.fd = ending->fd,
		.outcome = ending->outcome,
		.facts = &ending->facts,
		.local = ending->local,
		.peer = ending->peer,
		.caller = ending->caller,
	};
	hc_warn(&warning);
}

static bool wants_graceful(const struct hc_ending *ending)
{
	uint32_t word = atomic_load_explicit(&ending->entry.word, memory_order_relaxed);
	return unlikely(hc_options.GRACEFUL) && ending->last && !atomic_load(&hc_self.sandboxed) &&
	       hc_graceful_wants(word, &ending->facts, ending->outcome);
}

/* The end is certain to come, and nothing is known that speaks against it.
 * exit_since: when that of the whole process began, or 0. */
static void make_graceful(struct hc_ending *ending, uint64_t exit_since)
{
	if (!wants_graceful(ending))
		return;
	const struct hc_fd *entry = &ending->entry;
	const struct hc_facts *facts = &ending->facts;
	ending->graceful = exit_since ? hc_graceful_at_exit(ending->fd, entry, facts, exit_since, &ending->drained)
	                              : hc_graceful_close(ending->fd, entry, facts, hc_now(), &ending->drained);
	if (!ending->graceful) {
		/* what speaks against it may have come since: the peer's own reset */
		look_again(ending, atomic_load_explicit(&entry->word, memory_order_relaxed));
		return;
	}
	ending->outcome = HC_OUTCOME_drain;
	ending->ask = false;
}

static void make_graceful_at_exec(struct hc_ending *ending)
{
	if (wants_graceful(ending) && hc_graceful_at_exec(ending->fd, &ending->entry, &ending->facts))
		ending->outcome = HC_OUTCOME_drain;
}

/* The number may be in an epoll set, and the socket lives on: see polls.h. */
static void note_stray(const struct hc_ending *ending, uint32_t word)
{
	if (unlikely(hc_options.GRACEFUL && word & HC_FD_POLLED && ending->outcome == HC_OUTCOME_shared))
		hc_polls_stray(ending->entry.sock);
}

bool hc_ending_begin_slow(struct hc_ending *ending, int fd, enum hc_how how, const void *caller, bool sure)
{
	ending->epoch = atomic_load(&hc_self.epoch);
	if (hc_is_guest() || !hc_fd_claim(fd, &ending->entry))
		return false;
	uint32_t word = atomic_load_explicit(&ending->entry.word, memory_order_relaxed);
	ending->fd = fd;
	ending->how = how;
	ending->caller = caller;
	bool shared = hc_possibly_shared(&ending->entry, word);
	ending->released = shared;
	if (!look(ending, word)) {
		if (shared)
			hc_holders_release(ending->entry.sock);
		return false;
	}
	if (shared)
		judge_sharing(ending, word, hc_holders_release(ending->entry.sock));
	if (ending->ask && !hc_is_abrupt(ending->outcome))
		look_again(ending, word);
	note_stray(ending, word);
	if (sure)
		make_graceful(ending, 0);
	if (!ending->graceful)
		hc_graceful_give_up(fd, word);
	name_for_warning(ending);
	/* a close that blocks may be cancelled, and not come back to be told */
	if (word & HC_FD_LINGERS && how == HC_HOW_close && !ending->ask) {
		say(ending);
		return false;
	}
	return true;
}

void hc_ending_undo(struct hc_ending *ending)
{
	if (ending->released)
		hc_holders_undo(ending->entry.sock);
	hc_fd_restore(ending->fd, &ending->entry);
}

void hc_ending_finish(struct hc_ending *ending)
{
	if (ending->ask) {
		int held = hc_diag_still_held(&ending->identity);
		if (held > 0)
			ending->outcome = HC_OUTCOME_shared;
		else if (held < 0 && hc_is_abrupt(ending->outcome))
			ending->outcome = HC_OUTCOME_unknown; /* never claimed without knowing */
	} else if (hc_is_abrupt(ending->outcome) && was_overtaken(ending)) {
		ending->outcome = HC_OUTCOME_unknown;
	}
	say(ending);
}

bool hc_ending_any(unsigned first, unsigned last)
{
	int fd = first < HC_FDTAB_SIZE ? hc_fd_next((int)first) : -1;
	return fd >= 0 && (unsigned)fd <= last;
}

/* Is a higher number, or with `staying` one that survives an exec, another
 * descriptor of the same socket? Asked for duplicated sockets alone. */
static bool has_another(int fd, uint64_t sock, bool staying)
{
	for (int other = hc_fd_next(0); other >= 0; other = hc_fd_next(other + 1))
		if (other != fd && hc_fd(other)->sock == sock &&
		    (other > fd || (staying && !hc_probe_close_on_exec(other))))
			return true;
	return false;
}

/* One of the descriptors that end together, seen before any has ended: the entry
 * is filled. False: it is nobody's end, or another one will be the socket's last. */
static bool look_before_end(struct hc_ending *ending, int fd, enum hc_how how, const void *caller)
{
	const struct hc_fd *entry = &ending->entry;
	uint32_t word = atomic_load_explicit(&entry->word, memory_order_relaxed);
	bool doubtful = false;

	ending->fd = fd;
	ending->how = how;
	ending->caller = caller;
	if (hc_possibly_shared(entry, word)) {
		enum hc_holding others = hc_holders_others(entry->sock);
		if (others == HC_HOLDING_family)
			return false;
		doubtful = others == HC_HOLDING_doubt || hc_went_outside(fd, entry, word);
	}
	if (word & HC_FD_COPIED && has_another(fd, entry->sock, how == HC_HOW_exec))
		return false;
	if ((doubtful && word & HC_FD_LISTENER) || !look(ending, word))
		return false;
	/* nobody is left to ask the kernel after this end */
	if (doubtful) {
		ending->outcome = HC_OUTCOME_unknown;
		ending->last = false;
	}
	name_for_warning(ending);
	return true;
}

void hc_ending_exec(const void *caller)
{
	struct hc_ending ending;
	int kept = errno;
	/* recorded alone: the exec may fail, and a warning can't be taken back */
	if (!(hc_self.recording || hc_options.GRACEFUL) || atomic_load(&hc_self.sandboxed))
		return;
	for (int fd = hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1)) {
		if (!hc_probe_close_on_exec(fd))
			hc_record_passed(fd, HC_VIA_exec);
		else if (hc_fd_read(fd, &ending.entry) && look_before_end(&ending, fd, HC_HOW_exec, caller)) {
			make_graceful_at_exec(&ending);
			if (hc_self.recording)
				record(&ending);
		}
	}
	errno = kept;
}

void hc_ending_process(enum hc_how how, int status, const void *caller)
{
	struct hc_ending ending;
	uint32_t open = 0;
	int kept = errno;

	if (!hc_self.on || hc_is_guest())
		return;
	/* in a sandbox this may be a vfork child, and nothing tells */
	bool sandboxed = atomic_load(&hc_self.sandboxed);
	uint64_t since = hc_options.GRACEFUL ? hc_now() : 0;
	hc_family_walk(true);
	for (int fd = sandboxed ? -1 : hc_fd_next(0); fd >= 0; fd = hc_fd_next(fd + 1)) {
		/* taken one by one: other threads may still close some */
		if (!hc_fd_claim(fd, &ending.entry))
			continue;
		open++;
		if (look_before_end(&ending, fd, how, caller)) {
			make_graceful(&ending, since);
			say(&ending);
		}
	}
	hc_family_walk(false);
	if (!sandboxed) {
		hc_self.on = false;
		hc_family_end();
	}
	struct hc_exit *event = hc_self.recording ? hc_record(HC_EVENT_exit, 0) : NULL;
	if (event) {
		event->how = (uint8_t)how;
		event->status = (uint32_t)status;
		event->open = sandboxed ? UINT32_MAX : open;
		hc_commit(event);
	}
	errno = kept;
}

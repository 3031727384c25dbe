/*
 * A connection -> its ladder, by table: each way to end, with the states of both ends.
 *
 * The states are the kernel's: tests/command/ladder.sh makes ends of each kind on the
 * loopback, asks for both ends (ss -tan) after each call, and holds the
 * ladder of the recording against it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "conversations.h"
#include "ladder.h"

#define S(name) HC_STATE_##name
#define O(name) HC_OUTCOME_##name
#define F(name) HC_FLAG_##name
#define NONE UINT64_MAX

enum birth { UNRECORDED, CONNECTED, CONNECTING, ACCEPTED, ADOPTED, LISTENER };

struct facts {
	enum birth birth;
	struct {
		uint64_t at; /* 0: no such call */
		uint8_t state;
		bool both;
	} shut;
	struct {
		uint64_t at;
		uint8_t state, outcome;
		uint32_t flags;
		uint64_t unread, unacked, sent, received;
		uint8_t how;
	} close;
	struct {
		uint64_t at, drained;
		enum hc_result result;
	} drain;
};

static const struct row {
	const char *name;
	struct facts traced, peer;
	int family;
	const char *wanted, *cured;
} table[] = {
#include "ladders.def"
};

static void make(struct connection *connection, const struct facts *facts, int family)
{
	memset(connection, 0, sizeof(*connection));
	connection->family = (uint16_t)family;
	connection->program = "/usr/bin/program";
	connection->born = facts->birth == CONNECTED ? 1 : 2;
	connection->accepted = facts->birth == ACCEPTED;
	connection->connected = facts->birth == CONNECTED;
	connection->connecting = facts->birth == CONNECTING;
	connection->adopted = facts->birth == ADOPTED;
	connection->listener = facts->birth == LISTENER;
	if (facts->shut.at) {
		connection->shut = true;
		connection->shut_at = facts->shut.at;
		connection->shut_state = facts->shut.state;
		connection->shut_both = facts->shut.both;
		connection->shut_both_early = facts->shut.both && facts->shut.state == S(established);
	}
	connection->drain.at = facts->drain.at;
	connection->drain.drained = facts->drain.drained;
	connection->drain.result = facts->drain.result;
	if (!facts->close.at)
		return;
	connection->close = g_new0(struct event, 1);
	connection->close->order = facts->close.at;
	connection->close->close.socket.fd = 7;
	connection->close->close.how = facts->close.how ? facts->close.how : HC_HOW_close;
	connection->close->close.state = facts->close.state;
	connection->close->close.outcome = facts->close.outcome;
	connection->close->close.flags = facts->close.flags;
	connection->close->close.waiting = facts->birth == LISTENER ? 3 : UINT32_MAX;
	connection->close->close.unread = facts->close.unread;
	connection->close->close.unacked = facts->close.unacked;
	connection->close->close.sent = facts->close.sent;
	connection->close->close.received = facts->close.received;
}

/* A line for each step: who, what he calls, what crosses, the states of both. */
static char *text_of(const struct ladder *ladder)
{
	GString *text = g_string_new(NULL);

	for (unsigned i = 0; ladder && i < ladder->steps->len; i++) {
		const struct ladder_step *step = &g_array_index(ladder->steps, struct ladder_step, i);
		const char *traced = value_name(FIELD_state, step->states[LADDER_TRACED]);
		const char *peer = value_name(FIELD_state, step->states[LADDER_PEER]);

		g_string_append_printf(text, "%s%s%s%s", step->end == LADDER_TRACED ? "traced" : "peer",
		                       step->supposed ? " supposed" : step->order ? "" : " inferred",
		                       step->call ? " " : "", step->call ? step->call : "");
		if (step->arrow != LADDER_NO_ARROW)
			g_string_append_printf(text, " %s %s%s", step->arrow == LADDER_TO_PEER ? "->" : "<-",
			                       step->wire, step->lost ? " lost" : "");
		g_string_append_printf(text, " [%s %s]%s", traced ? traced : "-", peer ? peer : "-",
		                       step->alarming ? " !" : "");
		for (unsigned end = 0; end < LADDER_ENDS; end++)
			if (step->buffers[end])
				g_string_append_printf(text, " {%s: %s}", end == LADDER_TRACED ? "traced" : "peer",
				                       step->buffers[end]);
		g_string_append_c(text, '\n');
	}
	return g_string_free(text, FALSE);
}

/* Each handshake is the same; it has a row of its own. */
static const char *after_handshake(const char *text)
{
	const char *end = strstr(text, "accept() ");

	if (!end)
		end = strstr(text, "inferred -> ACK");
	if (!end)
		end = strstr(text, "inferred <- ACK");
	return end && strchr(end, '\n') ? strchr(end, '\n') + 1 : text;
}

static bool differs(const char *name, const char *what, const char *is, const char *wanted)
{
	if (!strncmp(wanted, "...", 3)) {
		is = after_handshake(is);
		wanted += 3;
	}
	if (!strcmp(is, wanted))
		return false;
	print_error("%s, %s:\n%s--- wanted:\n%s\n", name, what, is, wanted);
	return true;
}

static void test_table(void **state)
{
	unsigned different = 0;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct row *row = &table[i];
		struct connection ends[2];
		struct ladder *ladder, *cured;
		char *text;

		make(&ends[0], &row->traced, row->family ? row->family : AF_INET);
		make(&ends[1], &row->peer, row->family ? row->family : AF_INET);
		if (row->peer.birth != UNRECORDED) {
			ends[0].other = &ends[1];
			ends[1].other = &ends[0];
			conversations_judge(&ends[1]);
		}
		conversations_judge(&ends[0]);
		if (ends[1].other)
			conversations_judge(&ends[1]);
		ladder = ladder_of(&ends[0]);
		text = text_of(ladder);
		different += differs(row->name, "as it was", text, row->wanted);
		g_free(text);
		cured = ladder_cured(&ends[0]);
		text = text_of(cured);
		different += differs(row->name, "cured", text, row->cured ? row->cured : "");
		g_free(text);
		ladder_free(cured);
		ladder_free(ladder);
		g_free(ends[0].close);
		g_free(ends[1].close);
	}
	assert_int_equal(different, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

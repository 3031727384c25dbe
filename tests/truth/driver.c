/*
 * Ends connections in each of the ways that there are.
 *
 *   driver --list          one line for each way: what is expected of it
 *   driver NAME [TIMES]    does it
 *   driver --settle        waits until the network is quiet
 *
 * What a line of the list says: name; `each` where the process ends with it, so
 * that it is done once in each process, `dies` where a signal ends it (whose number
 * stands for the ends), else `many`; how many aborts of another
 * program the kernel counts too (on close, on data); the expected ends in the
 * order of their times, as how:outcome.
 */
#include "ways_alone.h"
#include "ways_descriptors.h"
#include "ways_mptcp.h"
#include "ways_process.h"
#include "ways_rights.h"
#include "ways_shared.h"
#include "ways_states.h"
#include "ways_threads.h"
#include "ways_unix.h"

#include <sys/prctl.h>

struct way {
	const char *name;
	void (*run)(enum kind kind);
	enum kind kind;
	enum { MANY, EACH, DIES } process;
	int on_close, on_data; /* aborts that no traced close makes */
	const char *ends;
};

#define MANY(function, kind, ends) { #function " " #kind, function, kind, MANY, 0, 0, ends }
#define EACH(function, kind, ends) { #function " " #kind, function, kind, EACH, 0, 0, ends }
#define DIES(function, kind, signal) { #function " " #kind, function, kind, DIES, 1, 0, signal }
#define ALL(function, ends) MANY(function, V4, ends), MANY(function, V6, ends), MANY(function, MAPPED, ends)
#define MPTCPS(function, ends) MANY(function, MPTCP, ends), MANY(function, TO_TCP, ends), MANY(function, FROM_TCP, ends)
#define UNREAD "close:reset-unread"
#define SHARED_UNREAD "close:shared close:reset-unread"

static const struct way ways[] = {
	ALL(nothing_came, "close:fin"),
	ALL(all_read, "close:fin"),
	ALL(part_read, UNREAD),
	ALL(none_read, UNREAD),
	ALL(none_read_connected, UNREAD),
	ALL(all_read_connected, "close:fin"),
	MANY(peeked, V4, UNREAD),
	ALL(peer_first, "close:fin"),
	ALL(peer_first_unread, UNREAD),
	MANY(half_close, V4, "close:none"),
	ALL(half_close_unread, UNREAD),
	ALL(both_ended_unread, "close:none"),
	MANY(shut_rd_unread, V4, UNREAD),
	MANY(shut_rdwr_unread, V4, UNREAD),
	{ "peer_reset V4", peer_reset, V4, MANY, 0, 1, "close:none" },
	{ "peer_reset_unread V4", peer_reset_unread, V4, MANY, 0, 1, "close:none" },

	ALL(linger0, "close:reset-linger"),
	MANY(linger0_unread, V4, UNREAD),
	MANY(linger0_half_closed, V4, "close:reset-linger"),
	MANY(linger0_dup, V4, "close:shared close:reset-linger"),
	MANY(linger0_undone, V4, "close:fin"),
	MANY(linger_positive, V4, "close:fin"),
	MANY(linger0_inherited, V4, "close:reset-linger"),

	MANY(oob_alone, V4, UNREAD),
	MANY(oob_behind, V4, UNREAD),
	MANY(oob_behind_read, V4, UNREAD),
	MANY(oob_taken, V4, UNREAD),
	MANY(oob_inline, V4, UNREAD),

	ALL(connecting, "close:none"),
	/* the kernel counts an abort, but no reset goes out */
	{ "connecting_linger0 V4", connecting_linger0, V4, MANY, 0, 1, "close:none" },
	MANY(never_connected, V4, "close:none"),
	MANY(refused, V4, "close:none"),
	ALL(backlog, "close:backlog"),
	MANY(signal_handler, V4, UNREAD),
	MANY(other_thread, V4, UNREAD),

	MANY(dup_closed, V4, SHARED_UNREAD),
	MANY(dupfd_closed, V4, SHARED_UNREAD),
	MANY(dupfd_cloexec, V4, SHARED_UNREAD),
	MANY(dup2_closed, V4, SHARED_UNREAD),
	MANY(dup_syscall, V4, SHARED_UNREAD),
	MANY(dup_read, V4, "close:shared close:fin"),
	MANY(dup2_onto, V4, "dup2:reset-unread"),
	MANY(dup3_onto, V4, "dup3:reset-unread"),
	MANY(dup2_onto_copy, V4, "dup2:shared close:reset-unread"),
	MANY(dup2_onto_other, V4, "dup2:reset-unread close:shared close:reset-unread"),
	MANY(dup2_same, V4, UNREAD),
	MANY(dup2_failed, V4, UNREAD),
	MANY(dup2_syscall, V4, "syscall:reset-unread"),
	MANY(fclose_unread, V4, "fclose:reset-unread"),
	MANY(fclose_buffered, V4, "fclose:fin"),
	MANY(freopen_unread, V4, "freopen:reset-unread"),
	MANY(freopen64_unread, V4, "freopen64:reset-unread"),
	MANY(freopen_failed, V4, "freopen:reset-unread"),
	MANY(close_range_plain, V4, "close_range:reset-unread"),
	MANY(close_range_cloexec, V4, UNREAD),
	MANY(close_range_unshare, V4, "close_range:reset-unread"),
	MANY(close_range_bad_flags, V4, UNREAD),
	MANY(closefrom_unread, V4, "close:shared close:shared close:shared closefrom:reset-unread closefrom:reset-unread"),
	MANY(close_syscall, V4, "syscall:reset-unread"),
	MANY(close_range_syscall, V4, "syscall:reset-unread"),

	ALL(fork_child_first, SHARED_UNREAD),
	MANY(fork_child_exits, V4, UNREAD),
	MANY(fork_child_killed, V4, UNREAD),
	ALL(fork_parent_first, SHARED_UNREAD),
	MANY(fork_parent_first_exit, V4, "close:shared _exit:reset-unread"),
	MANY(fork_parent_first_read, V4, "close:shared close:fin"),
	MANY(fork_child_reads, V4, "close:shared close:fin"),
	MANY(fork_raw, V4, SHARED_UNREAD),
	MANY(fork_syscall, V4, SHARED_UNREAD),
	MANY(fork_syscall_births, V4, "close:reset-unread close:reset-unread"),
	MANY(fork_grandchild, V4, "close:shared close:shared close:reset-unread"),
	MANY(fork_double, V4, SHARED_UNREAD),
	MANY(vfork_child_closes, V4, UNREAD),
	/* a traced program that held it too ends without anybody to ask */
	MANY(vfork_exec, V4, "return:unknown close:reset-unread"),
	{ "spawn_inherits V4", spawn_inherits, V4, MANY, 1, 0, "close:shared" },
	{ "spawn_inherits V6", spawn_inherits, V6, MANY, 1, 0, "close:shared" },
	{ "spawn_inherits MAPPED", spawn_inherits, MAPPED, MANY, 1, 0, "close:shared" },
#if HAS_PIDFD_SPAWN
	{ "spawn_pidfd V4", spawn_pidfd, V4, MANY, 1, 0, "close:shared" },
#endif
	{ "spawn_then_cloexec V4", spawn_then_cloexec, V4, MANY, 1, 0, "close:shared" },
	{ "spawn_then_range V4", spawn_then_range, V4, MANY, 1, 0, "close:shared" },
	{ "spawn_then_dup V4", spawn_then_dup, V4, MANY, 1, 0, "close:shared close:shared" },
	MANY(spawn_cloexec, V4, UNREAD),
	ALL(spawn_addclose, UNREAD),
	MANY(system_ran, V4, "_exit:unknown close:reset-unread"),
	ALL(passed_unread_there, SHARED_UNREAD),
	MANY(passed_read_there, V4, "close:shared close:fin"),
	ALL(passed_receiver_last, SHARED_UNREAD),
	MANY(passed_receiver_last_read, V4, "close:shared close:fin"),
	MANY(passed_in_flight, V4, SHARED_UNREAD),

	EACH(exits, V4, "exit:reset-unread"),
	EACH(exits_read, V4, "exit:fin"),
	EACH(exits_at_once, V4, "_exit:reset-unread"),
	EACH(exits_at_once_c, V4, "_Exit:reset-unread"),
	EACH(exits_quickly, V4, "quick_exit:reset-unread"),
	EACH(exits_syscall, V4, "syscall:reset-unread"),
	EACH(returns, V4, "return:reset-unread"),
	EACH(exits_copied, V4, "_exit:reset-unread"),
	EACH(exits_closing, V4, UNREAD),
	EACH(exits_backlog, V4, "_exit:backlog"),
	EACH(exits_beside_zombie, V4, "close:shared _exit:reset-unread"),
	EACH(exec_cloexec, V4, "exec:reset-unread"),
	EACH(exec_cloexec_copied, V4, "exec:reset-unread"),
	MANY(exec_failed, V4, "exec:reset-unread close:reset-unread"),
	EACH(exec_traced, V4, UNREAD),
	EACH(exec_traced, MAPPED, UNREAD),
	EACH(exec_traced_read, V4, "close:fin"),
	{ "exec_untraced V4", exec_untraced, V4, EACH, 1, 0, "" },

	DIES(aborts, V4, "6"),
	DIES(killed, V4, "9"),

	MANY(untraced_leaves, V4, UNREAD),
	MANY(untraced_reads, V4, "close:fin"),
	{ "untraced_last V4", untraced_last, V4, MANY, 1, 0, "close:shared" },
	MANY(untraced_last_reads, V4, "close:shared"),
	MANY(received, V4, UNREAD),
	MANY(received_read, V4, "close:fin"),
	MANY(received_read_there, V4, "close:fin"),
	{ "received_held V4", received_held, V4, MANY, 1, 0, "close:shared" },
	{ "sibling_passes V4", sibling_passes, V4, MANY, 1, 0, "close:shared _exit:unknown" },
	{ "sibling_spawns V4", sibling_spawns, V4, MANY, 1, 0, "close:shared _exit:unknown" },
	MANY(passed_around, V4, SHARED_UNREAD),
	MANY(passed_by_mmsg, V4, SHARED_UNREAD),
	MANY(passed_linger0, V4, "close:shared close:reset-linger"),
	{ "passed_dropped V4", passed_dropped, V4, MANY, 1, 0, "close:shared" },
	{ "popen_holds V4", popen_holds, V4, MANY, 1, 0, "close:shared return:unknown _exit:unknown" },

	MANY(reader_takes_all, V4, "close:fin"),
	/* its end comes when the reader leaves the kernel, with what arrived meanwhile */
	{ "reader_takes_part V4", reader_takes_part, V4, MANY, 1, 0, "close:fin" },
	MANY(poller_unread, V4, UNREAD),
	MANY(last_thread_unshares, V4, "close_range:reset-unread"),
	MANY(thread_unshares, V4, UNREAD),
	EACH(thread_exits, V4, "_exit:reset-unread"),
	EACH(last_thread_ends, V4, "return:reset-unread"),

	{ "late_data V4", late_data, V4, MANY, 0, 1, "close:fin" },
	MANY(disconnected, V4, "close:none"),
	MANY(connect_completes, V4, UNREAD),
	MANY(fast_open, V4, UNREAD),
	MANY(linger0_syscall, V4, "close:reset-linger"),
	MANY(linger0_by_child, V4, "close:reset-linger"),
	EACH(linger0_exits, V4, "_exit:reset-linger"),
	MANY(oob_inline_behind, V4, UNREAD),
	MANY(oob_inline_read, V4, "close:fin"),
	MANY(fork_parent_exits, V4, UNREAD),
	MANY(daemon_closes, V4, SHARED_UNREAD),
	ALL(backlog_full, "close:backlog"),
	MANY(backlog_data, V4, "close:backlog"),
	MANY(backlog_dup, V4, "close:backlog"),
	MANY(backlog_fork, V4, "close:backlog"),
	MANY(backlog_one_taken, V4, "close:backlog close:fin"),
	MANY(backlog_shutdown, V4, "close:none"),
	MANY(listen_syscall, V4, "close:backlog"),

	MPTCPS(nothing_came, "close:fin"),
	MPTCPS(all_read, "close:fin"),
	MPTCPS(linger0, "close:reset-linger"),
	MPTCPS(peer_first, "close:fin"),
	MPTCPS(half_close, "close:none"),
	MPTCPS(both_ended_unread, "close:none"),
	MANY(none_read, MPTCP, UNREAD),
	MANY(none_read, FROM_TCP, UNREAD),
	MANY(none_read, TO_TCP, "close:fin"),
	MANY(part_read, MPTCP, UNREAD),
	MANY(part_read, FROM_TCP, UNREAD),
	MANY(part_read, TO_TCP, "close:fin"),
	MANY(none_read_connected, MPTCP, UNREAD),
	MANY(peer_first_unread, MPTCP, UNREAD),
	MANY(half_close_unread, MPTCP, UNREAD),
	MANY(shut_rdwr_unread, MPTCP, UNREAD),
	MANY(linger0_unread, MPTCP, UNREAD),
	MANY(linger0_unread, TO_TCP, "close:reset-linger"),
	MANY(dup_closed, MPTCP, SHARED_UNREAD),
	MANY(fork_child_first, MPTCP, SHARED_UNREAD),
	MANY(fork_parent_first, MPTCP, SHARED_UNREAD),
	MANY(fork_child_reads, MPTCP, "close:shared close:fin"),
	MANY(first_path_gone, MPTCP, UNREAD),
	MANY(backlog, MPTCP, "close:backlog"),
	MANY(never_connected, MPTCP, "close:none"),

	MANY(unix_unread, UNIX, UNREAD),
	MANY(unix_part_read, UNIX, UNREAD),
	MANY(unix_peer_first, UNIX, "close:fin"),
	MANY(unix_peer_first_unread, UNIX, UNREAD),
	MANY(unix_shut, UNIX, UNREAD),
	MANY(unix_oob, UNIX, UNREAD),
	MANY(unix_pair, UNIX, "close:reset-unread close:fin"),
	MANY(unix_fork_reads, UNIX, "close:fin"),
	MANY(unix_backlog, UNIX, "close:backlog"),
	MANY(unix_peer_first_unread, SEQPACKET, UNREAD),
	MANY(unix_pair, SEQPACKET, "close:reset-unread close:fin"),
	MANY(unix_backlog, SEQPACKET, "close:backlog"),
	MANY(unix_read, UNIX, "close:fin"),
	MANY(unix_connected, UNIX, UNREAD),
	MANY(unix_dup, UNIX, SHARED_UNREAD),
	MANY(unix_fork, UNIX, SHARED_UNREAD),
	MANY(unix_unread, SEQPACKET, UNREAD),
	MANY(unix_read, SEQPACKET, "close:fin"),
	MANY(unix_fork, SEQPACKET, SHARED_UNREAD),
};
enum { WAYS = sizeof ways / sizeof *ways };

static void list(void)
{
	static const char *const processes[] = { [MANY] = "many", [EACH] = "each", [DIES] = "dies" };
	for (int i = 0; i < WAYS; i++) {
		const struct way *way = &ways[i];
		printf("%s %s %d %d %s\n", way->name, processes[way->process], way->on_close, way->on_data, way->ends);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--settle")) {
		settle();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--close"))
		return !!close(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "--untraced"))
		return untraced_role(argv[2]);
	/* grandchildren become ours to wait for */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; argc > 1 && i < WAYS; i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		for (int times = argc > 2 ? atoi(argv[2]) : 1; times > 0; times--)
			ways[i].run(ways[i].kind);
		return 0;
	}
	warnx("usage: driver --list | NAME [TIMES]");
	return 2;
}

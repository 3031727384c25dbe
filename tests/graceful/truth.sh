# shellcheck shell=bash
# All ways of the truth suite with graceful ends: the kernel counts aborts only
# where the report says so, and only the ways below stay abrupt.
times=${TIMES:-2}

# Why each of them is not made graceful: somebody else may hold the socket, whom
# nobody can ask.
declare -A abrupt=(
	[vfork_exec]='a child of vfork ran another program with it'
	[spawn_addclose]='it may have gone to the program spawned'
	[system_ran]='it went to the shell'
	[passed_unread_there]='it was sent to another process'
	[passed_receiver_last]='it was sent to another process'
	[passed_in_flight]='it was sent to another process'
	[passed_around]='it was sent to another process'
	[passed_by_mmsg]='it was sent to another process'
	[passed_linger0]='it was sent to another process'
	[received]='it came from another process'
	[untraced_leaves]='it was with a program that nobody traces'
	[thread_unshares]='other threads have descriptors of their own'
	[shut_rd_unread]='its receiving side is shut down: nothing more can be read'
	[shut_rdwr_unread]='its receiving side is shut down: nothing more can be read'
)
# What the driver waits for does not come with graceful ends, or is no end of ours.
declare -A left_out=(
	[late_data]='it waits for the reset that late data meets'
	[killed]='no end that could be seen'
)
who=${part#truth-}
if [ "$who" != helper ]; then
	abrupt[exec_cloexec]='it ends in the exec, and nobody is left to read on'
	abrupt[exec_cloexec_copied]=${abrupt[exec_cloexec]}
fi

way() { # way FUNCTION KIND EACH ELSEWHERE_ON_CLOSE ELSEWHERE_ON_DATA
	local name="$1 $2" i before_close before_data unread linger lost damaged unknown n
	rm -f "$log" said
	counters
	before_close=$on_close before_data=$on_data
	if [ "$3" != many ]; then
		for ((i = 0; i < times; i++)); do
			"${under[@]}" "$name" >>said 2>&1 || [ "$1 $?" = 'aborts 134' ] || fail "status $?"
		done
	else
		"${under[@]}" "$name" "$times" >>said 2>&1 || fail "status $?"
	fi
	[ ! -s said ] || fail "said: $(head -2 said | tr '\n' ' ')"
	await_drains
	counters
	read -r unread linger lost damaged < <(timeout 60 "$halfclose" report --json "$log" |
		jq -r '"\(.totals.outcome["reset-unread"]) \(.totals.outcome["reset-linger"]) \(.lost_events) \(.damaged)"')
	[ "${lost:-} ${damaged:-}" = '0 0' ] || fail "${lost:-?} events lost, ${damaged:-?} damaged"
	# the kernel alone sees an abort that nobody makes graceful
	[ "$1" = aborts ] || before_close=$((before_close + $4 * times))
	n=$((on_close - before_close))
	[ "${unread:-}" = "$n" ] || fail "reset-unread is ${unread:-?}, but TCPAbortOnClose $n"
	n=$((on_data - before_data - $5 * times))
	[ "${linger:-}" = "$n" ] || fail "reset-linger is ${linger:-?}, but TCPAbortOnData $n"
	if [ -z "${abrupt[$1]:-}" ]; then
		[ "${unread:-} ${linger:-}" = '0 0' ] || fail "${unread:-?} and ${linger:-?} ends stay abrupt"
	else
		[ $((${unread:-0} + ${linger:-0})) = "$times" ] || fail "no longer abrupt (${abrupt[$1]})"
	fi
}

# in the helper it ends with its peer, however late that comes to it
quiet=20s
[ "$who" = helper ] || quiet=30ms
under=(timeout 120 env HALFCLOSE_GRACEFUL=all "HALFCLOSE_DRAIN=$who" "HALFCLOSE_DRAIN_QUIET=$quiet"
	"HALFCLOSE_LOG=$log" "LD_PRELOAD=$library" "$driver")
# the driver adopts orphans and waits for all: a drain that it starts would be one
by_hand
while read -r function kind each on_close_too on_data_too _; do
	case $who,$kind in *,V4 | helper,V6 | helper,MAPPED) ;; *) continue ;; esac
	if [ "$kind" != V4 ] && [ ! -e /proc/net/if_inet6 ]; then
		echo "skip graceful: $part: $function $kind: no IPv6 in this kernel"
		continue
	fi
	[ -z "${left_out[$function]:-}" ] || continue
	# the drain reads what that thread leaves
	[ "$who $function" != 'helper reader_takes_part' ] || on_close_too=0
	way "$function" "$kind" "$each" "$on_close_too" "$on_data_too"
	done_with "$function $kind"
done < <("$driver" --list)
kill "$hand"
wait "$hand"

# shellcheck shell=bash
# Not one change for the program but the wire: each host says the same bare and
# graceful, but for the lines that begin with "wire".

# run MODE COMMAND…: in a network namespace of its own, where no drain is yet
run() {
	local mode=$1 under=()
	shift
	[ "$mode" = bare ] || under=(HALFCLOSE_GRACEFUL=all "HALFCLOSE_DRAIN=$who" "HALFCLOSE_LOG=$log"
		"HALFCLOSE_DRAIN_HELPER=$helper" HALFCLOSE_DRAIN_QUIET="$quiet" "LD_PRELOAD=$library")
	# shellcheck disable=SC2016
	timeout 120 "${around[@]}" sh -c 'ip link set lo up && exec "$@"' - env "${under[@]}" "$@" >"$mode.out" 2>"$mode.err"
	echo $? >"$mode.status"
}

# same BY AT_LEAST WIRE ARGUMENT…: what it says; so many drains by that one at
# least; and what each of the wire lines is
same() {
	local by=$1 least=$2 wire=$3 bad_wire
	shift 3
	rm -f "$log"
	run bare "$host" "${bare[@]:-$@}"
	run graceful "$host" "$@"
	[ "$(<bare.status)" = 0 ] || fail "bare: status $(<bare.status), $(head -1 bare.err)"
	cmp -s bare.status graceful.status || fail "status $(<graceful.status): $(head -1 graceful.err)"
	diff <(grep -v ^wire bare.out) <(grep -v ^wire graceful.out) >differ ||
		fail "says $(grep '^[<>]' differ | head -4 | tr '\n' ' ')"
	[ ! -s graceful.err ] || fail "on standard error: $(head -1 graceful.err)"
	bad_wire=$(grep ^wire graceful.out | grep -vxE "wire: ($wire)")
	[ -z "$bad_wire" ] || fail "$(head -1 <<<"$bad_wire")"
	await_drains
	n=$(events ".event == \"drain\" and .by == \"$by\"")
	[ "$n" -ge "$least" ] || fail "$n drains by $by, not $least"
	done_with "$* ${note:+($note)}"
	end_drains
}

# each drain ends with its peer, however long that takes
around=(unshare --net) who=helper quiet=20s helper=$drain note='' bare=()
same helper 4 'end of file' returns
same helper 8 'end of file' poll
same helper 1 'end of file' nested
same helper 2 'end of file' reused
# the set can't be reached under a number that has gone
same now 1 'end of file' copied first
same helper 1 'end of file' copied last
same helper 1 'end of file' set-copied
same helper 3 'end of file' forked
same helper 200 'end of file' threads
for how in all part pieces poll; do
	same helper 10 'end of file' reader "$how"
done
# longer than it is given to wake up, since others have its processor
same helper 3 'end of file' reader slow
# its FIN would come too early
same helper 0 '' writer
same helper 10 '' writer-at-exit asleep
same helper 10 '' writer-at-exit busy
# its peer may end so soon that there is nothing to hand over
same helper 0 '' signals
same helper 3 whole moves
same helper 4 '' bind
same helper 0 '' cgi
bare=(time-wait by-hand)
same helper 1 '' time-wait close
bare=()
for state in plain handler ignored blocked small many; do
	same helper 1 whole self "$state"
done
# nothing of these may start a drain, or be its parent
for state in adopts parent-adopts full nobody no-clone memory "$tmp"; do
	same now 1 whole self "$state"
done
same helper 150 '150 of 150' crowd
# whoever closes while another thread forks may not be the last
same helper 50 '.*' crowd forks
# one may be gone before it is spoken to: what counts is that there were some
printf '#!/bin/sh\necho >>%s\nexec %s --idle=0.001\n' "$tmp/starts" "$drain" >hasty
chmod 755 hasty
helper=$tmp/hasty note='each starts a drain'
same now 0 '100 of 100' rebind 100
[ "$(wc -l <starts)" -ge 5 ] || { fail "$(wc -l <starts) drains were started" && done_with 'rebind: drains are started'; }
helper=$drain
around=(unshare --net --pid --fork) note='as PID 1'
same now 1 whole self plain
around=(unshare --net) note='no drain to run' helper=/nonexistent/halfclose-drain
same now 1 whole self plain
note='a drain that is no program' helper=$tmp/hc
same now 1 whole self plain
helper=$drain who=wait quiet=30ms note='DRAIN=wait'
same wait 1 '' signals
same wait 4 '' bind
same wait 1 whole self plain
same wait 10 'end of file' reader part
same wait 10 'end of file' reader pieces
same wait 3 'end of file' reader slow
same wait 0 '' writer
same now 10 '' writer-at-exit asleep
same now 10 '' writer-at-exit busy

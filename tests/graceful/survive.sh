# shellcheck shell=bash
# Never a socket that somebody else holds: whoever is left talks on as under a
# bare close.

run() { # run bare|helper|wait|now HOW
	local under=()
	[ "$1" = bare ] || under=(HALFCLOSE_GRACEFUL=all "HALFCLOSE_DRAIN=$1" "HALFCLOSE_LOG=$log"
		HALFCLOSE_DRAIN_QUIET=100ms "LD_PRELOAD=$library")
	timeout 120 env "${under[@]}" "$host" "${@:2}" 2>&1 | sort
}

by_hand
for how in child raw-child parent parent-exits grandchild exec exec-traced exec-marked vfork spawn spawn-closes \
	passed in-flight self self-marked; do
	run bare survives "$how" >bare.out
	grep -q '^the peer heard 150000' bare.out || fail "bare: $(tr '\n' ' ' <bare.out)"
	for who in helper wait now; do
		rm -f "$log"
		run "$who" survives "$how" >out
		cmp -s bare.out out || fail "$who: says $(diff bare.out out | grep '^[<>]' | tr '\n' ' ')"
	done
	done_with "$how"
done
for who in helper wait now; do
	rm -f "$log"
	run "$who" storm >out
	[ "$(<out)" = $'servers: 0 bad\nvisitors: 0 bad' ] || fail "$(tr '\n' ' ' <out)"
	await_drains
	done_with "threads that fork for each connection, DRAIN=$who"
done
kill "$hand"
wait "$hand"

#!/bin/bash
# Random walks (walk.c), each step of which is held against the kernel's counters
# and what the other ends see, and their sums against the report's. run.sh runs it,
# in a network namespace of its own. It prints a line for each seed; one that failed
# is kept in walk.seeds, which are always walked.
#
#   walk.sh [SEED…]       default: those of walk.seeds and a fresh one; STEPS=N
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-build}" && pwd)
steps=${STEPS:-1500}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
export WALK_LIBRARY=$BUILD/libhalfclose.so WALK_LOG=$tmp/hc
failed=0

# Prints why it is wrong, or nothing.
walked() {
	local verdict unread linger unknown closes
	rm -f "$tmp"/*
	timeout 200 "$BUILD/tests/truth/walk" "$1" "$steps" >"$tmp/steps" 2>"$tmp/said" || {
		echo "status $?: $(tail -2 "$tmp/said" | paste -sd ";")"
		return
	}
	[ ! -s "$tmp/said" ] || head -1 "$tmp/said"
	timeout 60 "$BUILD/halfclose" log --json "$WALK_LOG" >"$tmp/log" || echo "no log"
	jq -r 'select(.event == "close") | "\(.t) \(.how) \(.outcome) \(
		.local // "" | sub(".*:"; ""))-\(.peer // "" | sub(".*:"; ""))"' "$tmp/log" >"$tmp/ends"
	verdict=$(awk -f "$here/walk.awk" "$tmp/ends" "$tmp/steps")
	read -r unread linger unknown closes < <(timeout 60 "$BUILD/halfclose" report --json "$WALK_LOG" |
		jq -r '.totals.outcome as $o | "\($o["reset-unread"]) \($o["reset-linger"]) \($o.unknown) \(.totals.closes - ($o | add))"')
	# an end that was unknown is no end where a later one is recorded
	if [ "${verdict% *}" != "right $unread $linger" ] || [ "$unknown" -gt "${verdict##* }" ] || [ "$closes" != 0 ]; then
		echo "$verdict; the report says $unread, $linger, $unknown and $closes closes without an outcome"
	fi
}

if [ $# = 0 ]; then
	mapfile -t seeds < <(grep -v '^#' "$here/walk.seeds")
	set -- "${seeds[@]}" $((SRANDOM % 1000000000))
fi
for seed; do
	why=$(walked "$seed" | paste -sd ';')
	if [ "$why" ]; then
		echo "not ok truth: walk $seed: $why"
		failed=1
	else
		echo "ok truth: walk $seed, $steps steps"
	fi
done
[ "$failed" = 0 ]

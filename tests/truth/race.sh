#!/bin/bash
# Peers that send while the program closes (race.c): of each close the kernel's
# counter says whether input was unread, and the library what it thought.
#
#   race.sh           a million closes, and harder loads: `make race`
#   race.sh check     a few of them, as a test: run.sh runs it, in a network
#                     namespace of its own
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-build}" && pwd)
if [ "${1:-}" != check ] && [ -z "${TRUTH_PRIVATE_NET:-}" ]; then
	own=(unshare --net)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net)
	TRUTH_PRIVATE_NET=1 BUILD=$BUILD exec "${own[@]}" bash "$here/race.sh" "$@"
fi
ip link set lo up
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# Prints what was true and said of each close: `1 reset-unread` …
race() { # race LOAD CLOSES
	rm -f "$tmp/hc"
	case $1 in
	asking*)
		timeout 300 "$BUILD/tests/truth/race" "${1#asking-}" "$2" "$tmp/truth" asking && cat "$tmp/truth"
		return
		;;
	esac
	HALFCLOSE_LOG=$tmp/hc HALFCLOSE_STACK=off LD_PRELOAD=$BUILD/libhalfclose.so \
		timeout 300 "$BUILD/tests/truth/race" "$1" "$2" "$tmp/truth" || return
	"$BUILD/halfclose" log --json "$tmp/hc" | grep -F '"how": "close"' | grep -o '"outcome": "[a-z-]*"' |
		cut -d'"' -f4 | paste -d' ' "$tmp/truth" -
}

# Sets all, resets, missed and wrong to what came of so many.
races() { # races LOAD CLOSES
	local left=$2 part
	all=0 resets=0 missed=0 wrong=0
	while [ "$left" -gt 0 ]; do
		part=$((left > 100000 ? 100000 : left)) left=$((left - part))
		read -r a b c d < <(race "$1" "$part" | awk '
			NF != 2 || $2 !~ /^(fin|reset-unread|none)$/ { odd++ }
			{ n++; resets += $1; missed += $1 == 1 && $2 != "reset-unread"; wrong += $1 == 0 && $2 == "reset-unread" }
			END { print n - odd, resets + 0, missed + 0, wrong + 0 }')
		all=$((all + a)) resets=$((resets + b)) missed=$((missed + c)) wrong=$((wrong + d))
	done
}

tell() {
	awk -v load="$1" -v all="$all" -v resets="$resets" -v missed="$missed" -v wrong="$wrong" 'BEGIN {
		printf "%-13s %8d closes  %7d resets  %5d missed  %3d wrong   recall %8.4f %%   precision %8.4f %%\n", load,
			all, resets, missed, wrong, 100 * (resets - missed) / (resets ? resets : 1),
			100 * (resets - missed) / (resets - missed + wrong ? resets - missed + wrong : 1) }'
}

if [ "${1:-}" != check ]; then
	# the last: pieces again, without the library; the program asks the same itself
	for load in upload:1000000 pieces:200000 passed:200000 asking-pieces:200000; do
		races "${load%:*}" "${load#*:}"
		tell "${load%:*}"
	done
	exit
fi

# At most so many in a thousand resets may be missed: those whose input came in the
# moment between the question and the close. On a busy machine the moment is longer
# for whoever asks: a program that asks itself, beside it, tells how much. None is
# claimed that was not.
failed=0
for load in upload:12000:2 pieces:5000:30 passed:5000:30; do
	IFS=: read -r load closes most <<<"$load"
	races "asking-${load/passed/pieces}" "$closes"
	most=$((most + 4000 * missed / (resets ? resets : 1)))
	races "$load" "$closes"
	if [ "$all" = "$closes" ] && [ "$resets" -gt $((closes / 100)) ] && [ "$wrong" = 0 ] && [ $((missed * 1000)) -le $((resets * most)) ]; then
		echo "ok truth: race $load"
	else
		echo "not ok truth: race $load: $(tell "$load")"
		failed=1
	fi
done
[ "$failed" = 0 ]

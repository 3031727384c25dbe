#!/bin/bash
# halfclose show: the ladder of each way to end, held against the kernel; what it looks
# like; what it says of bad input.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD NO_COLOR DEBUGINFOD_URLS
export LC_ALL=C.UTF-8
# shellcheck source=tests/command/expect.sh
. tests/command/expect.sh

python=/usr/bin/python3
drive() { # drive NAME ENVIRONMENT…: in a network of its own where that is to be had
	local name=$1 alone=() own=()
	shift
	if unshare -n true 2> "$place/why"; then
		own=(unshare -n sh -c 'ip link set lo up && exec "$@"' -)
		[ "$name" != ladder ] || alone=(LADDER_ALONE=1)
	fi
	# it kills itself in the end
	timeout 200 env "$@" "${alone[@]}" HALFCLOSE_WARN=off HALFCLOSE_LOG="$place/$name.hc" "${own[@]}" \
		env LD_PRELOAD="$BUILD/libhalfclose.so" $python tests/command/ladder.py drive "$place/$name.json" \
		2> "$place/$name.err"
	if [ -s "$place/$name.json" ]; then
		timeout 200 $python tests/command/ladder.py check "$halfclose" "$place/$name.hc" "$place/$name.json"
	else
		echo "not ok show: $name: the driver did not come to its end"
		sed 's/^/    /' "$place/$name.err"
	fi
	[ "${#own[@]}" != 0 ] || echo "skip show: two ends that close at once: $(cat "$place/why")"
} 2> /dev/null
drive ladder HALFCLOSE_STACK=off
drive graceful HALFCLOSE_STACK=off HALFCLOSE_GRACEFUL=all HALFCLOSE_DRAIN=now

# one that is shown for its looks: golden's recordings have fixed times
compile() { mkdir -p "$place/$1" && "$BUILD/tests/golden-compile" "tests/golden/$1.events" "$place/$1"; }
compile both-ends && compile teardowns && compile sites && compile nothing
show=("$halfclose" show "$place"/both-ends/*.hc)
"${show[@]}" --cured 4 > "$place/pretty"
LC_ALL=C "${show[@]}" --cured 4 > "$place/plain"

same() { # same NAME FILE: as tests/command/FILE has it; UPDATE=1 writes it
	[ -z "${UPDATE:-}" ] || cp "$place/$2" "tests/command/$2.show"
	if diff -u "tests/command/$2.show" "$place/$2" > "$place/diff"; then
		echo "ok show: $1"
	else
		echo "not ok show: $1"
		sed -n '3,15s/^/    /p' "$place/diff"
	fi
}
same "what a reset looks like" pretty
same "and in a locale without UTF-8" plain
expect show "there all of it is ASCII" 1 - grep -P '[^\x00-\x7f]' "$place/plain"

# every connection of these, in any form, within 80 columns and without a complaint
wide=0 all=0
for file in both-ends teardowns sites; do
	for sock in $("$halfclose" show --json -n 1000 "$place/$file"/*.hc | jq '.connections[].sock'); do
		all=$((all + 1))
		"$halfclose" show --cured "$place/$file"/*.hc "$sock" > "$place/one" 2>&1 || echo "status" >> "$place/wide"
		grep -HE --label="$file $sock" '^.{81}' < "$place/one" >> "$place/wide"
		"$halfclose" show --json "$place/$file"/*.hc "$sock" | jq -e '.ladder.steps | length > 0' > /dev/null ||
			echo "$file $sock: no ladder" >> "$place/wide"
	done
done
[ -s "$place/wide" ] && wide=1
if [ $wide = 0 ] && [ $all -gt 20 ]; then
	echo "ok show: each of $all connections fits into 80 columns"
else
	echo "not ok show: each of $all connections fits into 80 columns"
	head -n 10 "$place/wide" | sed 's/^/    /'
fi

expect show "a number with its sign" 0 "#4 " "${show[@]}" '#4'
expect show "the list has the worst first" 0 "     4 reset-unread" sed -n 2p <("${show[@]}")
expect show "the list is bounded" 0 "more, none of them worse" "${show[@]}" --lines 2
expect show "the list, as JSON" 0 "" jq -e '.connections | length == 2' <("${show[@]}" --json -n 2)
expect show "no such connection is one clear line" 1 "there is no connection #99; they have the numbers 1 to" "${show[@]}" 99
expect show "the other end's finding is named" 0 "error of the other end, #4" "${show[@]}" 2
expect show "nothing recorded is told" 0 "No connection" "$halfclose" show "$place"/nothing/*.hc
expect show "no file is a usage error" 2 "which recording" "$halfclose" show
expect show "a bad recording is named" 1 "not a recording" "$halfclose" show /etc/passwd 1
expect show "lines that are none" 2 "--lines" "${show[@]}" --lines 0
if command -v script > /dev/null; then
	expect show "colour on a terminal" 0 "" grep -q $'\033' <(TERM=xterm script -qec "${show[*]} 4" /dev/null)
	expect show "none with NO_COLOR" 1 "" grep -q $'\033\\[[0-9;]*m' <(NO_COLOR=1 TERM=xterm script -qec "${show[*]} 4" /dev/null)
	wider=$(script -qec "stty cols 120; ${show[*]} 4" /dev/null | sed 's/\x1b\[[0-9;]*m//g; s/\r//' | wc -L)
	if [ "${wider:-0}" -gt 90 ] && [ "$wider" -le 120 ]; then
		echo "ok show: a wide terminal is used"
	else
		echo "not ok show: a wide terminal is used: $wider columns of 120"
	fi
fi

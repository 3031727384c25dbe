#!/bin/bash
# Ends connections in every way (driver.c), records it, and compares what the
# library says with what the kernel did: the outcome of each end, and over each
# way the report's sums with the kernel's counters. Unix sockets have none: what
# their other ends get is the truth, and the driver checks that.
#
# In a network namespace of its own, so that the counters are ours alone; it has
# no name and ends with this process.
#
#   run.sh [PATTERN]      only the ways whose names match; TIMES=N: each N times
set -u
shopt -s inherit_errexit 2>/dev/null
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-build} LC_ALL=C
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok truth: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose driver=$BUILD/tests/truth/driver
times=${TIMES:-20}

for tool in jq ip unshare; do
	command -v "$tool" >/dev/null || { echo "skip truth: all: no $tool"; exit 0; }
done
for file in "$library" "$halfclose" "$driver"; do
	[ -e "$file" ] || { echo "not ok truth: build: no $file"; exit 1; }
done
if [ -z "${TRUTH_PRIVATE_NET:-}" ]; then
	own=(unshare --net)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net)
	if "${own[@]}" ip link set lo up 2>/dev/null; then
		TRUTH_PRIVATE_NET=1 exec "${own[@]}" bash "$here/run.sh" "$@"
	fi
	echo "skip truth: all: no network namespace can be made here"
	exit 0
fi
ip link set lo up
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0

# Sets on_close and on_data to the kernel's counters.
counters() {
	local names values i
	while read -ra names && read -ra values; do
		[ "${names[0]}" = TcpExt: ] || continue
		for i in "${!names[@]}"; do
			case ${names[i]} in
			TCPAbortOnClose) on_close=${values[i]} ;;
			TCPAbortOnData) on_data=${values[i]} ;;
			esac
		done
	done </proc/net/netstat
}

# What the log says of each end, in the order of time; a listener that nobody
# waited for is no news.
# shellcheck disable=SC2016
said='[.[] | select(.event == "close" and (.state != "LISTEN" or .outcome == "backlog")) |
	select(.outcome != "backlog" or .waiting > 0) | "\(.how):\(.outcome)"] | join(" ")'
sums='"\(.totals.outcome["reset-unread"] // 0) \(.totals.outcome["reset-linger"] // 0) \(.lost_events) \(.damaged)"'

fail() { why="${why:+$why; }$*"; }

# way EACH ELSEWHERE_ON_CLOSE ELSEWHERE_ON_DATA ENDS…: does $name and compares
way() {
	local each=$1 elsewhere_on_close=$2 elsewhere_on_data=$3 before_close before_data i n expected='' got unread linger lost damaged
	local under=(timeout 60 env "HALFCLOSE_LOG=$tmp/hc" "LD_PRELOAD=$library" "$driver" "$name") unix=''
	shift 3
	case $name in *UNIX | *SEQPACKET) unix=1 ;; esac
	[ -z "$unix" ] || export HALFCLOSE_SOCKETS=tcp,unix
	rm -f "$tmp"/*
	counters
	before_close=$on_close before_data=$on_data
	if [ "$each" = each ]; then
		for ((i = 0; i < times; i++)); do
			"${under[@]}" >>"$tmp/said" 2>&1 || fail "status $?"
		done
	else
		"${under[@]}" "$times" >>"$tmp/said" 2>&1 || fail "status $?"
	fi
	counters
	unset HALFCLOSE_SOCKETS
	[ -s "$tmp/said" ] && fail "said: $(head -2 "$tmp/said" | tr '\n' ' ')"

	timeout 60 "$halfclose" log --json "$tmp/hc" >"$tmp/log" 2>"$tmp/errors" || fail "log: $(head -1 "$tmp/errors")"
	timeout 60 "$halfclose" report --json "$tmp/hc" >"$tmp/report" 2>"$tmp/errors" || fail "report: $(head -1 "$tmp/errors")"
	got=$(jq -rs "$said" "$tmp/log")
	for ((i = 0; i < times && $#; i++)); do expected+=" $*"; done
	[ "$got" = "${expected# }" ] ||
		fail "not $times times '$*', but $(tr ' ' '\n' <<<"$got" | sort | uniq -c | sort -rn | head -6 | xargs)"

	read -r unread linger lost damaged < <(jq -r "$sums" "$tmp/report")
	[ "${lost:-} ${damaged:-}" = '0 0' ] || fail "${lost:-?} events lost, ${damaged:-?} damaged"
	[ -z "$unix" ] || return
	n=$((on_close - before_close - elsewhere_on_close * times))
	[ "${unread:-}" = "$n" ] || fail "reset-unread is ${unread:-?}, but TCPAbortOnClose $n"
	n=$((on_data - before_data - elsewhere_on_data * times))
	[ "${linger:-}" = "$n" ] || fail "reset-linger is ${linger:-?}, but TCPAbortOnData $n"
}

while read -r function kind each on_close_too on_data_too ends; do
	name="$function $kind" why=''
	[[ -z ${1:-} || $name == *$1* ]] || continue
	# shellcheck disable=SC2086
	way "$each" "$on_close_too" "$on_data_too" $ends
	if [ "$why" ]; then
		echo "not ok truth: $name: $why"
		failed=$((failed + 1))
	else
		echo "ok truth: $name"
		passed=$((passed + 1))
	fi
done < <("$driver" --list)

echo "# truth: $passed passed, $failed failed"
[ "$failed" = 0 ]

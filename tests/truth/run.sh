#!/bin/bash
# Ends connections in every way (driver.c), records it, and compares what the
# library says with what the kernel did: the outcome of each end, and over each
# way the report's sums with the kernel's counters. Unix sockets have none: what
# their other ends get is the truth, and the driver checks that.
#
# In a network namespace of its own, so that the counters are ours alone; it has
# no name and ends with this process.
#
# Then random walks (walk.sh) and races (race.sh) are held against the same counters.
#
#   run.sh [PATTERN]      only the ways whose names match; TIMES=N: each N times
#   run.sh walk [SEED…]   only walks
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
# no pauses between segments, as some others make them (bbr, for one)
echo reno 2>/dev/null >/proc/sys/net/ipv4/tcp_congestion_control
# data in a SYN, with neither a cookie nor the listener's word
echo 0x607 2>/dev/null >/proc/sys/net/ipv4/tcp_fastopen
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0

# Sets on_close, on_data, fastclose (MPTCP's one reset for both) and resets (all
# that were sent) to the kernel's counters, once nothing is under way any more.
counters() {
	local names values i file
	on_close=0 on_data=0 fastclose=0 resets=0
	timeout 60 "$driver" --settle || fail 'the network is not quiet'
	for file in /proc/net/netstat /proc/net/snmp; do
		while read -ra names && read -ra values; do
			case ${names[0]} in TcpExt: | MPTcpExt: | Tcp:) ;; *) continue ;; esac
			for i in "${!names[@]}"; do
				case ${names[i]} in
				TCPAbortOnClose) on_close=${values[i]} ;;
				TCPAbortOnData) on_data=${values[i]} ;;
				MPFastcloseTx) fastclose=${values[i]} ;;
				OutRsts) resets=${values[i]} ;;
				esac
			done
		done <"$file"
	done
}

# What the log says of each end, in the order of time; of a listener only that
# some waited for it.
# shellcheck disable=SC2016
said='([$log[] | select(.event == "close" and (.state != "LISTEN" or .outcome == "backlog")) |
	select(.outcome != "backlog" or .waiting > 0)] | map("\(.how):\(.outcome)") | join(" ")),
	"\(.totals.outcome["reset-unread"]) \(.totals.outcome["reset-linger"]) \(.lost_events) \(.damaged) \(
	[$log[] | select(.event == "close" and .outcome == "backlog") | .waiting] | add // 0)"'

fail() { why="${why:+$why; }$*"; }

# way EACH ELSEWHERE_ON_CLOSE ELSEWHERE_ON_DATA ENDS…: does $name and compares
way() {
	local each=$1 elsewhere_on_close=$2 elsewhere_on_data=$3 before i n expected='' got unread linger lost damaged waiting
	local under=(timeout 60 env "HALFCLOSE_LOG=$tmp/hc" "LD_PRELOAD=$library" "$driver" "$name") unix=''
	shift 3
	case $name in *UNIX | *SEQPACKET) unix=1 ;; esac
	[ -z "$unix" ] || export HALFCLOSE_SOCKETS=tcp,unix
	rm -f "$tmp"/*
	counters
	before=("$on_close" "$on_data" "$fastclose" "$resets")
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
	{ read -r got; read -r unread linger lost damaged waiting; } < <(jq -r --slurpfile log "$tmp/log" "$said" "$tmp/report")
	for ((i = 0; i < times && $#; i++)); do expected+=" $*"; done
	[ "$got" = "${expected# }" ] ||
		fail "not $times times '$*', but $(tr ' ' '\n' <<<"$got" | sort | uniq -c | sort -rn | head -6 | xargs)"

	[ "${lost:-} ${damaged:-}" = '0 0' ] || fail "${lost:-?} events lost, ${damaged:-?} damaged"
	[ -z "$unix" ] || return
	n=$((on_close - before[0] - elsewhere_on_close * times))
	if [[ $name == *' MPTCP' ]]; then
		i=$((fastclose - before[2]))
		[ "$n $((unread + linger + waiting))" = "0 $i" ] ||
			fail "resets are $unread and $linger and $waiting of those that waited, but MPFastcloseTx $i"
		return
	fi
	[ "${unread:-}" = "$n" ] || fail "reset-unread is ${unread:-?}, but TCPAbortOnClose $n"
	n=$((on_data - before[1] - elsewhere_on_data * times))
	[ "${linger:-}" = "$n" ] || fail "reset-linger is ${linger:-?}, but TCPAbortOnData $n"
	[[ " $* " == *:backlog\ * ]] || return
	n=$((resets - before[3]))
	[ "$waiting" = "$n" ] || fail "$waiting connections waited, but OutRsts is $n"
}

# A program that a signal ends says nothing: `halfclose run` tells what it held.
death() {
	local before told signal=$1
	counters
	before=$on_close
	timeout 60 "$halfclose" run -o "$tmp/hc" -- "$driver" "$name" 2>"$tmp/said"
	[ $? = $((128 + signal)) ] || fail "another status than $((128 + signal))"
	counters
	grep -q "($signal); it held 1 connection open" "$tmp/said" || fail "said: $(tail -1 "$tmp/said")"
	[ $((on_close - before)) = 1 ] || fail "TCPAbortOnClose is $((on_close - before))"
	told=$("$halfclose" report --json "$tmp/hc" | jq -r '"\(.totals.teardown.open) \(.totals.outcome | add)"')
	[ "$told" = '1 1' ] || fail "open connections and closes are $told, the listener's among them"
}

if [ "${1:-}" = walk ]; then
	shift
	"$here/walk.sh" "$@"
	exit
fi

while read -r function kind each on_close_too on_data_too ends; do
	name="$function $kind" why=''
	[[ -z ${1:-} || $name == *$1* ]] || continue
	if [[ $kind == *TCP* && ! -e /proc/sys/net/mptcp/enabled ]]; then
		echo "skip truth: $name: no MPTCP in this kernel"
		continue
	fi
	# shellcheck disable=SC2086
	case $each in
	dies) death "$ends" ;;
	*) way "$each" "$on_close_too" "$on_data_too" $ends ;;
	esac
	if [ "$why" ]; then
		echo "not ok truth: $name: $why"
		failed=$((failed + 1))
	else
		echo "ok truth: $name"
		passed=$((passed + 1))
	fi
done < <("$driver" --list)

for more in walk.sh 'race.sh check'; do
	# shellcheck disable=SC2086
	[ -n "${1:-}" ] || "$here"/$more || failed=$((failed + 1))
done
echo "# truth: $passed passed, $failed failed"
[ "$failed" = 0 ]

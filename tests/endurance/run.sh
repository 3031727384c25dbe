#!/bin/bash
# Much of it, for long: descriptors, connections, closes, forks. Each host bare
# and preloaded, warned and recorded: the same results, nothing that grows, and
# verdicts that equal the kernel's counters.
#
#   run.sh          the short form, a few seconds
#   run.sh long     1,000,000 descriptors, 100,000 connections, 10 million closes,
#                   100,000 forks, 100,000 connections that linger at once (make
#                   endurance); in several processes where one may not have as
#                   many numbers
#   run.sh [long] numbers|many|closes|forks|lingering
#                   that alone
#
# In a network namespace of its own, so that the kernel's counters are ours alone.
set -u
shopt -s inherit_errexit 2>/dev/null
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-build} LC_ALL=C
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok endurance: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose programs=$BUILD/tests/endurance
long='' highest=0
[ "${1:-}" != long ] || { long=1; shift; }
only=${1:-}

for tool in jq ip unshare; do
	command -v "$tool" >/dev/null || { echo "skip endurance: all: no $tool"; exit 0; }
done
for file in "$library" "$halfclose" "$programs/closes"; do
	[ -e "$file" ] || { echo "not ok endurance: build: no $file"; exit 1; }
done
if [ -z "${ENDURANCE_PRIVATE_NET:-}" ]; then
	own=(unshare --net)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net)
	if "${own[@]}" ip link set lo up 2>/dev/null; then
		ENDURANCE_PRIVATE_NET=1 exec "${own[@]}" bash "$here/run.sh" ${long:+long} "$@"
	fi
	echo "skip endurance: all: no network namespace can be made here"
	exit 0
fi
ip link set lo up
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
numbers=/proc/sys/fs/nr_open
before=$(<$numbers)
drain=''
trap '[ -z "$drain" ] || kill "$drain"; rm -rf "$tmp"; [ "$(<$numbers)" = "$before" ] || echo "$before" >$numbers' EXIT
trap 'exit 130' INT TERM HUP
cd "$tmp" || exit 1
passed=0 failed=0 why=''

fail() { why="${why:+$why; }$*"; }

finish() { # finish NAME FIGURES
	if [ "$why" ]; then
		echo "not ok endurance: $1: $why"
		failed=$((failed + 1))
	else
		echo "ok endurance: $1${2:+: $2}"
		passed=$((passed + 1))
	fi
	why=''
}

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

# both LIMIT COMMAND…: bare and preloaded; on_close and on_data become the second
# run's, bare_us and our_us the times
both() {
	local limit=$1 close_before data_before from warnings processes
	shift
	rm -f hc
	from=${EPOCHREALTIME/./}
	timeout "$((${long:-0} ? 900 : 300))" "$programs/$1" "${@:2}" >bare.out 2>bare.err || fail "bare: status $?, $(head -1 bare.err)"
	bare_us=$((${EPOCHREALTIME/./} - from))
	counters
	close_before=$on_close data_before=$on_data
	from=${EPOCHREALTIME/./}
	timeout "$((${long:-0} ? 900 : 300))" env HALFCLOSE_WARN=stderr HALFCLOSE_STACK=off "HALFCLOSE_LOG=$tmp/hc" \
		"HALFCLOSE_LOG_MAX=$limit" "LD_PRELOAD=$library" "$programs/$1" "${@:2}" >our.out 2>our.err || fail "status $?"
	our_us=$((${EPOCHREALTIME/./} - from))
	counters
	on_close=$((on_close - close_before)) on_data=$((on_data - data_before))
	cmp -s bare.out our.out || fail "says '$(head -c 200 our.out | tr '\n' ' ')', bare '$(head -c 200 bare.out | tr '\n' ' ')'"
	timeout 600 "$halfclose" report --json hc >report 2>errors || fail "report: $(head -1 errors)"
	read -r unread linger lost damaged < <(jq -r '"\(.totals.outcome["reset-unread"]) \(.totals.outcome["reset-linger"]) \(.lost_events) \(.damaged)"' report)
	[ "$damaged" = 0 ] || fail "$damaged places are damaged"
	# a process has a few lines for each of its places
	warnings=$(grep -c '^halfclose: ' our.err) processes=$(grep -o '^halfclose: [^]]*]' our.err | sort -u | wc -l)
	[ "$warnings" -le $((30 * processes)) ] || fail "$warnings lines of warnings, by $processes processes"
}

true_to_kernel() {
	[ "$lost" = 0 ] || fail "$lost events lost"
	[ "$unread" = "$on_close" ] || fail "reset-unread is $unread, but TCPAbortOnClose $on_close"
	[ "$linger" = "$on_data" ] || fail "reset-linger is $linger, but TCPAbortOnData $on_data"
}

# until_so WHAT COMMAND…
until_so() {
	local end=$((SECONDS + 120))
	until "${@:2}"; do
		[ $SECONDS -lt $end ] || { fail "no $1"; return; }
		sleep 0.02
	done
}

# figure FILE PATTERN: the number of it in the host's last such line
figure() { sed -n "s/^== \(.* \)\?$2.*/\2/p" "$1" | tail -n 1; }

wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

# descriptors; and one beyond what the library has room for, where that is allowed
if wanted numbers; then
	if [ "$long" ] && echo 9000000 2>/dev/null >$numbers; then
		highest=8500000
	fi
	count=${long:+1000000}
	both 4G numbers "${count:=20000}" $highest
	true_to_kernel
	processes=$(figure our.err 'in \([0-9]*\) processes') ours=$(figure our.err 'processes: \([0-9]*\)')
	bare=$(figure bare.err 'processes: \([0-9]*\)')
	# half of its 64 bytes for the table, and a few pages of anything
	[ "$(((ours - bare) * 1024))" -le $((count * 34 + processes * 200000)) ] || fail "$((ours - bare)) KiB for $count"
	finish "$count descriptors" "in $processes processes, $((ours - bare)) KiB of ours"
	[ "$(<$numbers)" = "$before" ] || echo "$before" >$numbers
fi

if wanted many; then
	count=${long:+100000}
	both 4G many "${count:=3000}"
	true_to_kernel
	finish "$count open connections" "$unread resets, bare $((bare_us / 1000)) ms, ours $((our_us / 1000)) ms, a fork amid them bare $(figure bare.err 'fork \([0-9]*\)') us, ours $(figure our.err 'fork \([0-9]*\)') us"
fi

if wanted closes; then
	count=${long:+10000000}
	both 1M closes "${count:=100000}" 3
	events=$(figure our.err '\([0-9]*\) events')
	written=$(timeout 100 "$halfclose" log --json hc 2>/dev/null | wc -l)
	[ "$((written + lost))" = "$events" ] || fail "$written events written and $lost lost, not $events together"
	[ "$lost" -gt 0 ] || fail "nothing was lost"
	[ "$(stat -c %s hc)" -le 1048576 ] || fail "the recording has $(stat -c %s hc) bytes"
	finish "$count closes" "$written events written, $lost lost, bare $((bare_us / 1000)) ms, ours $((our_us / 1000)) ms; $(grep -m 1 '^== first' our.err | cut -c4-); $(grep '^== last' our.err | tail -n 1 | cut -c4-)"
fi

if wanted forks; then
	count=${long:+100000}
	both 4G forks "${count:=2000}"
	true_to_kernel
	asked=$(timeout 300 "$halfclose" log --json hc | grep -c '"asked"')
	[ "$asked" = 0 ] || fail "of $asked closes it was in doubt who else holds the socket"
	finish "$count forks" "bare $((bare_us / 1000)) ms, ours $((our_us / 1000)) ms"
fi

# Graceful ends, at the drain all at once; in the short form one of its processes
# has room for some hundreds. Its memory is what all of them have together.
if wanted lingering; then
	count=$((${long:-0} ? 100000 : 3000))
	rm -f hc gate
	mkfifo gate
	counters
	close_before=$on_close data_before=$on_data
	if [ "$long" ]; then
		"$BUILD/halfclose-drain" &
	else
		prlimit --nofile=1200 "$BUILD/halfclose-drain" &
	fi
	drain=$!
	until_so 'a drain' grep -q '@halfclose-drain-' /proc/net/unix
	env HALFCLOSE_GRACEFUL=all HALFCLOSE_DRAIN_QUIET=200s HALFCLOSE_DRAIN_TIME=300s HALFCLOSE_STACK=off \
		"HALFCLOSE_LOG=$tmp/hc" "LD_PRELOAD=$library" "$programs/lingering" "$count" <gate >our.out 2>our.err &
	host=$!
	exec 9>gate
	is_closed() { grep -q closed our.out || ! kill -0 "$host"; }
	until_so 'all closed' is_closed
	# each is a descriptor of one of them
	is_taken() { [ "$(for pid in $drain $(pgrep -P "$drain"); do ls "/proc/$pid/fd"; done | wc -l)" -ge "$count" ]; }
	until_so 'all taken' is_taken
	read -r processes rss pss < <(for pid in $drain $(pgrep -P "$drain"); do cat "/proc/$pid/smaps_rollup"; done |
		awk '/^Rss/ { n++; rss += $2 } /^Pss:/ { pss += $2 } END { print n, rss, pss }')
	[ "$processes" -ge 4 ] || [ "$(ulimit -Hn)" -ge 50000 ] || fail "$processes processes"
	[ "$pss" -le 65536 ] || fail "$pss KiB of memory"
	exec 9>&-
	wait "$host" || fail "the host's status is $?"
	[ "$(tail -n 1 our.out)" = "$count heard until their end" ] || fail "$(tail -n 1 our.out)"
	is_alone() { [ -z "$(pgrep -P "$drain")" ]; }
	until_so 'an end of the workers' is_alone
	all_ended() { [ "$(timeout 60 "$halfclose" log --json hc 2>errors | grep -c '"event": "drain"')" = "$count" ]; }
	until_so 'every end recorded' all_ended
	ends=$(timeout 60 "$halfclose" log --json hc 2>errors | jq -r 'select(.event == "drain") | "\(.by) \(.result)"' | sort | uniq -c | xargs)
	[ "$ends" = "$count helper eof" ] || fail "the drains end with $ends"
	counters
	[ "$((on_close - close_before + on_data - data_before))" = 0 ] ||
		fail "$((on_close - close_before)) and $((on_data - data_before)) resets"
	kill "$drain"
	wait "$drain" || fail "the drain's status is $?"
	drain=''
	finish "$count connections linger at once" "$processes processes with $pss KiB (Pss; Rss $rss), $(sed -n 's/^== //p' our.err)"
fi

echo "# endurance: $passed passed, $failed failed"
[ "$failed" = 0 ]

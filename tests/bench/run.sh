#!/bin/bash
# What the library costs. Every figure is the median of ratios (or differences)
# to a bare run beside it: A B C A B C …; the machine may be noisy, the two see
# the same noise. In a network namespace of its own, as root: there TIME-WAIT is
# kept short, since looking for a free port among thousands would hide the rest.
#
#   tests/bench/run.sh [ROUNDS [CONNECTIONS [LINGERING]]]
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
rounds=${1:-11} connections=${2:-40000} lingering=${3:-100000}

if [ -z "${BENCH_INSIDE:-}" ] && unshare --net true 2>/dev/null; then
	BENCH_INSIDE=1 exec unshare --net "$0" "$rounds" "$connections" "$lingering"
fi
if [ -n "${BENCH_INSIDE:-}" ]; then
	ip link set lo up
	echo 64 > /proc/sys/net/ipv4/tcp_max_tw_buckets
fi

library=$(readlink -f "$BUILD")/libhalfclose.so
bin=$BUILD/tests/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One row a way to run: its name, the goal, and what is set.
ways=(
	"bare||"
	"warnings only|1.02|LD_PRELOAD=$library"
	"recording|1.06|LD_PRELOAD=$library HALFCLOSE_LOG=$work/log"
	"recording, all stacks|1.12|LD_PRELOAD=$library HALFCLOSE_LOG=$work/log HALFCLOSE_STACK=all"
	"recording, opens, too||LD_PRELOAD=$library HALFCLOSE_LOG=$work/log HALFCLOSE_STACK=opens"
)

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

measure() { # measure WAY COMMAND…: appends the figure to the way's file
	local way=$1
	shift
	rm -f "$work/log"
	# shellcheck disable=SC2086 # NAME=VALUE words
	env ${ways[way]##*|} "$@" >> "$work/$way"
}

table() { # table TITLE UNIT COMMAND…
	local title=$1 unit=$2 i way name goal
	shift 2
	rm -f "$work"/[0-9]*
	for ((i = 0; i < rounds; i++)); do
		for way in "${!ways[@]}"; do measure "$way" "$@"; done
	done
	echo "$title"
	for way in "${!ways[@]}"; do
		IFS='|' read -r name goal _ <<< "${ways[way]}"
		printf '  %-24s %9.0f %s   ratio %.3f%s\n' "$name" "$(median < "$work/$way")" "$unit" \
			"$(paste "$work/$way" "$work/0" | awk '{ print $1 / $2 }' | median)" "${goal:+   goal <= $goal}"
	done
}

table "A connection of 64 bytes each way, both ends in one process (CPU time)" ns \
	"$bin/connections" "$connections" 64
table "A connection of 64 KB each way" ns "$bin/connections" $((connections / 4)) 65536

echo "The start of /bin/true (wall-clock time)"
for ((i = 0; i < rounds; i++)); do
	"$bin/startup" 200 /bin/true >> "$work/start-bare"
	BENCH_PRELOAD=$library "$bin/startup" 200 /bin/true >> "$work/start-warn"
	HALFCLOSE_LOG=$work/log BENCH_PRELOAD=$library "$bin/startup" 200 /bin/true >> "$work/start-record"
	rm -f "$work/log"
done
for way in warn record; do
	printf '  %-24s %+9.0f us   goal <= 300 us\n' "$way" \
		"$(paste "$work/start-$way" "$work/start-bare" | awk '{ print ($1 - $2) / 1000 }' | median)"
done

echo "Resident memory of a program that does nothing"
resident() { env "$@" grep VmRSS /proc/self/status | awk '{ print $2 }'; }
for ((i = 0; i < rounds; i++)); do
	resident A=1 >> "$work/rss-bare"
	resident LD_PRELOAD="$library" HALFCLOSE_LOG="$work/log" >> "$work/rss"
done
printf '  %-24s %+9d KiB   goal <= 512 KiB\n' "recording" \
	"$(paste "$work/rss" "$work/rss-bare" | awk '{ print $1 - $2 }' | median)"

echo "Address space of a program that does nothing"
size() { env "$@" grep VmSize /proc/self/status | awk '{ print $2 }'; }
printf '  %-24s %+9d KiB\n' "recording" \
	"$(($(size LD_PRELOAD="$library" HALFCLOSE_LOG="$work/log") - $(size A=1)))"

. tests/bench/graceful.sh

echo "The data path"
printf '  calls of it that are intercepted: %s   goal none\n' "$(nm -D --defined-only "$library" |
	awk '{ print $3 }' | grep -cxE 'read|write|readv|writev|send|recv|sendto|recvfrom|sendfile|splice|poll|ppoll|select|pselect|epoll_wait|epoll_pwait' || true)"

echo "Of that, the questions to the kernel (alone and warm; as often as asked)"
for ((i = 0; i < rounds; i++)); do "$bin/questions"; done > "$work/questions"
while read -r times name; do
	printf '  %-24s %9.0f ns   x %d\n' "$name" "$(awk -v n="$name" '$3 == n { print $1 }' "$work/questions" | median)" "$times"
done < <(awk '!seen[$3]++ { print $2, $3 }' "$work/questions")

tests/bench/review.sh

#!/bin/bash
# What it costs to read a recording: each figure is the median of some rounds, CPU
# time on one core. jq is beside it as the tool that one would reach for, over the
# same events as JSON lines; it gets a tenth of them, or it would take minutes.
#
#   tests/bench/review.sh [ROUNDS [EVENTS]]   needs 130 bytes of disk for an event
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
rounds=${1:-3} events=${2:-10000000}
few=$((events / 10))
bin=$BUILD/tests/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DEBUGINFOD_URLS

room=$(df --output=avail -k "$work" | tail -1)
if [ $((events / 1024 * 180)) -gt "$room" ]; then
	echo "Reading recordings: $events events have no room in $work"
	exit 0
fi
"$bin/recording" "$work/all.hc" "$events"
"$bin/recording" "$work/few.hc" "$few"
"$BUILD/halfclose" log --json "$work/few.hc" > "$work/few.json"

# what jq can say of a line at a time: the totals of the report
totals='reduce (inputs | select(.event == "close")) as $e ({};
	.[$e.outcome].closes += 1 | .[$e.outcome].unread += $e.unread | .[$e.outcome].unacked += $e.unacked)'

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
cost() { # cost NAME COMMAND…: appends seconds and KiB
	local name=$1
	shift
	"$bin/cost" "$@" >> "$work/$name"
}
for ((i = 0; i < rounds; i++)); do
	cost all "$BUILD/halfclose" report "$work/all.hc"
	cost few "$BUILD/halfclose" report "$work/few.hc"
	cost log "$BUILD/halfclose" log --json "$work/few.hc"
	cost jq jq -n "$totals" "$work/few.json"
done

line() { # line WHAT NAME [NOTE]
	printf '  %-24s %9.2f s%s\n' "$1" "$(median < "$work/$2")" "${3:-}"
}
ratio() { paste "$work/$1" "$work/few" | awk '{ print $1 / $3 }' | median; }
printf "Reading a recording of %d events, 10,000 connections open at once (CPU time)\n" "$events"
line report all "   goal <= 10 s"
printf '  %-24s %9.0f MiB   goal <= 200 MiB\n' "resident at most" "$(awk '{ print $2 / 1024 }' "$work/all" | median)"
printf "The same of %d events, beside jq, which counts closes and adds up their bytes\n" "$few"
line report few
line "log --json" log "$(printf '   ratio %.1f' "$(ratio log)")"
line "jq, of its lines" jq "$(printf '   ratio %.1f' "$(ratio jq)")"

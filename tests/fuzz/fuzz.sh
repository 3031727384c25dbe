#!/bin/bash
# Runs each fuzzer for some seconds, from the committed corpus and from what
# earlier runs found worth keeping (BUILD/corpus). Says how many inputs it
# tried; what it finds is left in BUILD/findings.
#
#   tests/fuzz/fuzz.sh [SECONDS [NAME…]]    BUILD: where the fuzzers are;
#   COMPILE: golden-compile
#
# KEEP=1 instead: adds to tests/fuzz/corpus as few files as reach all that was
# ever reached.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build-fuzz}
COMPILE=${COMPILE:-build/tests/golden-compile}
time=${1:-60}
[ $# = 0 ] || shift
# shellcheck disable=SC2012,SC2046 # plain names
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
failed=0
# An input is 16 KB at most: one that takes this long, or this much memory, is a
# finding. (The time is of the wall: on a busy machine less would be too little.
# Names are interned for good: the process grows with what it saw.)
limits="-timeout=20 -rss_limit_mb=2000 -malloc_limit_mb=64"
export UBSAN_OPTIONS=print_stacktrace=1

# The golden recordings are seeds, too: those of one example in one file.
seeds() {
	local events name work
	work=$(mktemp -d) || exit 1
	for events in tests/golden/*.events; do
		name=$(basename "$events" .events)
		mkdir -p "$work/$name"
		"$COMPILE" "$events" "$work/$name" && cat "$work/$name"/*.hc >"$1/$name.hc"
	done
	rm -rf "$work"
}

rename() { # the fuzzer names files by 40 digits
	local file
	for file in "tests/fuzz/corpus/$1"/*; do
		case ${file##*/} in
		???????????????????????????????????????*) mv "$file" "${file%????????????????????????????????}" ;;
		esac
	done
}

for name; do
	fuzzer=$BUILD/tests/fuzz/fuzz_$name
	mkdir -p "$BUILD/corpus/$name" "$BUILD/seeds/$name" "$BUILD/findings" "tests/fuzz/corpus/$name"
	[ "$name" != recording ] || seeds "$BUILD/seeds/$name"
	if [ "${KEEP:-}" = 1 ]; then
		"$fuzzer" -set_cover_merge=1 -use_counters=0 -max_len=16384 -close_fd_mask=3 "tests/fuzz/corpus/$name" \
			"$BUILD/seeds/$name" "$BUILD/corpus/$name" 2>&1 | sed -n "s/^MERGE-OUTER: \([0-9]* new files\)/$name: \1/p"
		rename "$name"
		continue
	fi
	# shellcheck disable=SC2086 # a list of options
	"$fuzzer" -max_total_time="$time" -max_len=16384 $limits -close_fd_mask=3 -print_final_stats=1 \
		-artifact_prefix="$BUILD/findings/$name-" "$BUILD/corpus/$name" "tests/fuzz/corpus/$name" \
		"$BUILD/seeds/$name" >"$BUILD/findings/$name.log" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$BUILD/findings/$name.log")
	if [ "$status" = 0 ]; then
		echo "ok fuzz $name: ${runs:-0} runs, no finding"
		rm -f "$BUILD/findings/$name.log"
	else
		echo "not ok fuzz $name: a finding after ${runs:-?} runs, see $BUILD/findings/$name.log:"
		grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$BUILD/findings/$name.log" | sed 's/^/    /'
		failed=1
	fi
done
exit $failed

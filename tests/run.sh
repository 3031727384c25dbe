#!/bin/bash
# Every suite, then the closing line. A suite is a program that prints a line
# for each test: "ok NAME", "not ok NAME: why" or "skip NAME: why"; it failed
# too if it ends with another status than 0 or says nothing.
#
#   tests/run.sh [SUITE…]     default: all;  BUILD: where the programs are
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build}
# the same results whatever the caller has set for other purposes
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD NO_COLOR COLUMNS LINES DEBUGINFOD_URLS; do unset "$name"; done
export LC_ALL=C.UTF-8
umask 022
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
passed=0 failed=0 skipped=0

suite() { # suite NAME LIMIT COMMAND…
	local name=$1 limit=$2 out=$log/out status start=$SECONDS ok bad skip
	shift 2
	timeout --kill-after=10 "$limit" "$@" >"$out" 2>"$log/err" </dev/null
	status=$?
	ok=$(grep -c '^ok ' "$out") bad=$(grep -c '^not ok ' "$out") skip=$(grep -c '^skip ' "$out")
	grep -E '^(not ok|skip) ' "$out"
	if [ "$status" = 124 ]; then
		echo "not ok $name: stopped after $limit s"
	elif [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		echo "not ok $name: ended with status $status"
	elif [ "$((ok + bad + skip))" = 0 ]; then
		echo "not ok $name: no test ran"
	fi
	# what it said before, for whoever must find out why
	if [ "$status" != 0 ] || [ "$bad" != 0 ] || [ "$((ok + bad + skip))" = 0 ]; then
		[ "$bad" != 0 ] || bad=1
		{ grep -vE '^(ok|not ok|skip) ' "$out"; cat "$log/err"; } | tail -n 40 | sed 's/^/    /'
	fi
	printf '# %-24s %4d passed, %d failed, %d skipped, %d s\n' "$name" "$ok" "$bad" "$skip" $((SECONDS - start))
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

wanted() { [ -z "$only" ] || case " $only " in *" $1 "*) ;; *) return 1 ;; esac; }
only="$*"

if wanted unit; then
	export CMOCKA_MESSAGE_OUTPUT=TAP
	for test in "$BUILD"/tests/unit/test_*; do
		if [ "${SAN:-}" = thread ] && [ "${test##*/}" = test_views ]; then
			echo "skip unit views: the thread sanitizer takes terabytes of addresses, and threads that a fork left behind for lost"
			skipped=$((skipped + 1))
			continue
		fi
		[ -x "$test" ] && suite "unit ${test##*/test_}" 300 "$test"
	done
fi
for dir in golden formats page suppressions diff input fuzz valgrind command names ps python examples hosts truth graceful \
	fault endurance servers victims install packaging deb; do
	if wanted "$dir" && [ -x "tests/$dir/run.sh" ]; then
		suite "$dir" 900 "tests/$dir/run.sh"
	fi
done

if wanted command; then
	for script in show follow top; do
		suite "command $script" 600 "tests/command/$script.sh"
	done
fi
if wanted suites; then
	suite suites 1800 tests/suites/run.sh --quick --jobs "$(($(nproc) + 1))"
	suite 'suites that must fail' 1800 tests/suites/faults.sh
fi

if [ "$skipped" = 0 ]; then
	echo "$passed passed, $failed failed"
else
	echo "$passed passed, $failed failed, $skipped skipped"
fi
[ "$failed" = 0 ] && [ "$passed" != 0 ]

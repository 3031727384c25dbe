#!/bin/sh
# Recording in, report out: compares exactly. UPDATE=1 writes what came out
# as what is expected (then read the difference with git diff).
# usage: run.sh [NAME...]; BUILD is where the programs are.
here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-$here/../../build}
BUILD=$(cd "$BUILD" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
unset NO_COLOR HALFCLOSE_LOG DEBUGINFOD_URLS

# what a command prints, its errors and its status if it is not 0
out() {
	"$@" 2>&1
	status=$?
	[ $status -eq 0 ] || echo "[exit $status]"
}

# All formats for programs but json in one file; of sarif without the table of rules,
# which is the same everywhere.
formats() {
	for format in csv sarif trace folded folded-unacked folded-count openmetrics suppressions; do
		echo "==> $format <=="
		out "$BUILD/halfclose" report --format $format --source-root /src "$@" |
			sed '/^     "rules": \[$/,/^     \]$/d'
	done
}

compare() { # NAME KIND
	if [ -n "$UPDATE" ]; then
		cp "$work/$1.$2" "$here/$1.$2"
	elif ! cmp -s "$work/$1.$2" "$here/$1.$2"; then
		why="$why $2"
		diff -u "$here/$1.$2" "$work/$1.$2" | sed -n '3,12s/^/    /p'
	fi
}

[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.events | sed 's,^\./,,; s,\.events$,,')
for name; do
	why=
	mkdir "$work/$name"
	if "$BUILD/tests/golden-compile" "$here/$name.events" "$work/$name"; then
		cd "$work/$name" || exit 1
		out "$BUILD/halfclose" report ./*.hc >"$work/$name.report"
		out "$BUILD/halfclose" report --json ./*.hc >"$work/$name.json"
		formats ./*.hc >"$work/$name.formats"
		out "$BUILD/halfclose" log ./*.hc >"$work/$name.log"
		out "$BUILD/halfclose" log --json ./*.hc >>"$work/$name.log"
		cd "$here" || exit 1
		for kind in report json formats log; do
			compare "$name" $kind
		done
	else
		why=" compile"
	fi
	if [ -z "$why" ]; then
		echo "ok golden: $name"
	else
		echo "not ok golden: $name: differs:$why"
		failed=1
	fi
done
exit $failed

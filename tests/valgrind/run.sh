#!/bin/bash
# Memory: a program of many ways to end connections, and the command's own
# subcommands, under valgrind's memcheck. Nothing unaddressable or uninitialised
# is used and nothing is lost, with the library as without it.
#
# BUILD is where the programs are.
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
if [ -n "${SAN:-}" ]; then
	echo "skip valgrind: all: programs with a sanitizer's runtime do not run under it"
	exit 0
fi
command -v valgrind >/dev/null || { echo "skip valgrind: all: no valgrind"; exit 0; }
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
cd "$place" || exit 1
unset DEBUGINFOD_URLS LD_PRELOAD
for name in $(compgen -e HALFCLOSE_); do unset "$name"; done
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose host=$BUILD/tests/valgrind/host
failed=0

memcheck() {
	timeout 300 valgrind -q --error-exitcode=77 --leak-check=full --show-leak-kinds=definite,indirect \
		--errors-for-leak-kinds=definite,indirect "$@"
}

verdict() { # verdict NAME WHY: ok where there is no why
	if [ -z "$2" ]; then
		echo "ok valgrind: $1"
	else
		echo "not ok valgrind: $1: $2"
		grep -h '^==' ./*.err 2>/dev/null | head -n 20 | sed 's/^/    /'
		failed=1
	fi
}

# The program's own words bare, without valgrind, are what is expected of all.
"$host" >expected 2>&1 || { echo "not ok valgrind: the host: bare: status $?"; exit 1; }
if ! memcheck "$host" >out 2>bare.err || ! cmp -s expected out; then
	echo "skip valgrind: all: it finds fault with the bare program: $(grep -m 1 '^==' bare.err)"
	exit 0
fi

# preloaded NAME VARIABLE…
preloaded() {
	local name=$1 why=
	shift
	(
		export "$@" "LD_PRELOAD=$library"
		memcheck "$host" >out 2>host.err
	) || why="status $?"
	cmp -s expected out || why="${why:+$why, }says other things: $(diff expected out | sed -n 2p)"
	verdict "$name" "$why"
}
preloaded 'warnings, threads, copies, processes' HALFCLOSE_WARN=stderr
grep -q '^halfclose: .*a reset, not a FIN' host.err || verdict 'warnings' 'none was written'
rm -f host.err
preloaded 'recording with all stacks, unix sockets, too' HALFCLOSE_LOG="$place/hc" HALFCLOSE_STACK=opens \
	HALFCLOSE_SOCKETS=tcp,unix
resets=$(grep -c ECONNRESET expected)
resets=$((resets - 1 + 40 + 1)) # one is linger's; those of the threads; that of exit
why=
[ "$("$halfclose" report --json hc | jq '.totals.outcome["reset-unread"]')" = "$resets" ] ||
	why="not $resets resets: $("$halfclose" report --json hc | jq -c .totals.outcome)"
verdict 'what it recorded' "$why"

# command NAME WORD…: the command itself, on what was recorded and on what is damaged
command_on() {
	local name=$1 why=
	shift
	memcheck "$halfclose" "$@" >out 2>command.err || why="status $?"
	verdict "$name" "$why"
	rm -f command.err
}
mkdir damaged
"$BUILD/tests/golden-compile" "$here/../golden/damaged.events" damaged
command_on 'report, with names' report hc damaged/1.hc
command_on 'log --json, with names' log --json hc damaged/1.hc
command_on 'run' run -o run.hc -- /bin/true

exit $failed

#!/bin/bash
# halfclose top: its numbers against the report's; its page on a terminal.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD NO_COLOR HALFCLOSE_LOG DEBUGINFOD_URLS
export LC_ALL=C.UTF-8
# shellcheck source=tests/command/expect.sh
. tests/command/expect.sh

# The page's numbers are the report's, for each recording that golden has.
for events in tests/golden/*.events; do
	name=$(basename "$events" .events)
	mkdir "$place/$name"
	"$BUILD/tests/golden-compile" "$events" "$place/$name" || continue
	timeout 20 "$halfclose" report --json "$place/$name"/*.hc > "$place/report" 2> /dev/null
	timeout 20 "$halfclose" top --once "$place/$name"/*.hc > "$place/page" 2> /dev/null
	[ -s "$place/report" ] || continue
	# a sum that no number of jq's can be is only seen to be one
	want=$(jq -r '"\(.totals.outcome | .["reset-unread"] + .["reset-linger"] + .backlog) in all" +
		"  \(.totals.outcome["reset-unread"]) unread  \(.totals.outcome["reset-linger"]) linger 0" +
		"  \(.totals.outcome.backlog) queues, \([.totals.drain[]] | add) done, \(.totals.teardown.open) open now, " +
		"\([.findings[] | select(.severity != "note").bytes] | add // 0 | if . < 9e15 then . else "?" end) lost"' "$place/report")
	is=$(tr -d , < "$place/page" | awk '/^abrupt/ { sub(/^abrupt *[0-9.]*\/s  */, ""); abrupt = $0 }
		/^draining/ { match($0, /[0-9]+ done/); done = substr($0, RSTART, RLENGTH) }
		/^connections/ { match($0, /[0-9]+ open now/); open = substr($0, RSTART, RLENGTH) }
		/^bytes lost/ { lost = (length($3) > 16 ? "?" : $3) " lost" }
		END { print abrupt ", " done ", " open ", " lost }')
	if [ "$want" = "$is" ]; then
		echo "ok top: counts as the report does: $name"
	else
		echo "not ok top: counts as the report does: $name: $is; not $want"
	fi
done

mkdir "$place/drains"
cat > "$place/drains.events" <<'EVENTS'
process pid=7 ppid=1 start=exec exe=/usr/bin/server
listen sock=1.1 fd=3 local=127.0.0.1:80
accept sock=1.2 fd=4 listener=1.1 peer=10.0.0.1:1002
close sock=1.2 fd=4 how=close state=ESTABLISHED outcome=drain flags=accepted unread=5 us=7
accept sock=1.3 fd=4 listener=1.1 peer=10.0.0.1:1003
close sock=1.3 fd=4 how=close state=ESTABLISHED outcome=drain flags=accepted unread=5 us=7
drain sock=1.3 fd=-1 drained=5 us=5000 result=eof by=helper unacked=0 saved=70
accept sock=1.4 fd=4 listener=1.1 peer=10.0.0.1:1004
shutdown sock=1.4 fd=4 side=wr state=ESTABLISHED result=0
EVENTS
"$BUILD/tests/golden-compile" "$place/drains.events" "$place/drains"
expect top "what drains now" 0 "draining    1 now  1 done  70 bytes saved" "$halfclose" top "$place"/drains/*.hc
expect top "what is open and half-closed" 0 "3 in all  1 open now  1 half-closed" "$halfclose" top "$place"/drains/*.hc

page=("$place"/teardowns/*.hc)
expect top "no terminal: one plain page" 0 "WORST PLACES" "$halfclose" top "${page[@]}"
expect top "… without colour" 1 - grep $'\033' <("$halfclose" top "${page[@]}")
expect top "… in 80 columns" 1 - grep -E '.{81}' <("$halfclose" top "${page[@]}")
if command -v script > /dev/null; then
	expect top "a dumb terminal has one plain page, too" 1 "" grep $'\033' \
		<(TERM=dumb timeout 10 script -qec "$halfclose top ${page[*]}" /dev/null)
fi
expect top "no file is a usage error" 2 "which recording" "$halfclose" top
expect top "a delay that is none" 2 "delay" "$halfclose" top -d 0 "${page[@]}"
expect top "a file that is not there" 1 "none.hc: No such file" "$halfclose" top --once "$place/none.hc"
expect top "a bad recording" 1 "not a recording" "$halfclose" top --once /etc/passwd

if /usr/bin/python3 -c 'import pyte' 2> /dev/null; then
	timeout 540 /usr/bin/python3 tests/command/top.py "$BUILD" "$place" || echo "not ok top: on a terminal: status $?"
else
	echo "skip top: on a terminal: no python3-pyte"
fi

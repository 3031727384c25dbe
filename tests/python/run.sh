#!/bin/bash
# The Python callers of a close, held to Python's own word.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose library=$BUILD/libhalfclose.so
python=/usr/bin/python3
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD HALFCLOSE_LOG HALFCLOSE_STACK

result() { if [ -z "$2" ]; then echo "ok python: $1"; else echo "not ok python: $1: $2"; fi; }

version=$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
if [ "$version" != 3.11 ]; then
	echo "skip python: it is ${version:-not there}: the callers are known of 3.11"
	exit 0
fi

timeout 300 env LD_PRELOAD="$library" HALFCLOSE_LOG="$place/hc" $python -X utf8 tests/python/shapes.py 60 >"$place/said"
result 'the program runs' "$([ $? = 0 ] || echo "it does not")"
"$halfclose" log --json "$place/hc" >"$place/log"

# callers by both, as long as the shorter: at most 16 are recorded, and the first three
# are the wrappers of socket.py and the test's own close()
jq -c 'select(.event == "close" and .outcome == "reset-unread") | { port: (.peer | split(":")[1] | tonumber),
	callers: [.stack[] | select(.language == "python") | [.function, .file, .line]] }' "$place/log" >"$place/seen"
why=$(jq -rn --slurpfile said "$place/said" --slurpfile seen "$place/seen" '
	# a port can come again: the second is held to the second
	def numbered: reduce .[] as $x ({}; .count["\($x.port)"] += 1 | .all += [$x + { name: "\($x.port)/\(.count["\($x.port)"])" }]) | .all;
	($seen | numbered | map({ key: .name, value: .callers }) | from_entries) as $by |
	[$said | numbered[] | . as $one | ($by[.name] // []) as $got | ([$got | length - 3, ($one.callers | length)] | min) as $n |
	 select($n < 1 or $got[3:3 + $n] != $one.callers[:$n] or ($n < ($one.callers | length) and $n < 13)) |
	 "\($got[3:6]) is not \($one.callers[:3])"] |
	if length > 0 then "\(length) of \($said | length): \(.[0])" else empty end')
result "the callers of $(wc -l <"$place/said") closes are those that Python tells" "$why"
result 'of each close there is a record' "$([ "$(wc -l <"$place/said")" = "$(wc -l <"$place/seen")" ] || echo "$(wc -l <"$place/seen")")"

# what people see
cat >"$place/app.py" <<'PY'
import socket

def refuse(connection):
    connection.close()

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"xy")
server.recv(1)
refuse(server)
PY
"$halfclose" run -o "$place/app.hc" -- $python "$place/app.py" 2>/dev/null
"$halfclose" report "$place/app.hc" >"$place/report"
result 'a report names the line' "$(grep -q '^  at   python: refuse (.*/app.py:4)$' "$place/report" || grep '^  at ' "$place/report" || echo nothing)"

# what is asked of the kernel beside: a question with a mask that can't be set
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	timeout 200 strace -f -e trace=rt_sigprocmask -o "$place/trace" env HALFCLOSE_LOG="$place/strace.hc" LD_PRELOAD="$library" \
		$python "$place/app.py"
	result 'no mask of signals is changed for it' \
		"$(grep 'rt_sigprocmask(0x\|rt_sigprocmask(-1\|rt_sigprocmask([0-9]' "$place/trace" | grep -v EINVAL)"
	result 'pages are asked for, a few' \
		"$(n=$(grep -c EINVAL "$place/trace"); [ "$n" -gt 0 ] && [ "$n" -lt 60 ] || echo "$n")"
else
	echo 'skip python: what is asked of the kernel: no strace'
fi

# nothing of it without stacks
HALFCLOSE_STACK=off "$halfclose" run -o "$place/off.hc" -- $python "$place/app.py" 2>/dev/null
result 'without stacks nothing is read' "$("$halfclose" log --json "$place/off.hc" | jq -c 'select(.event == "script")' | head -1)"

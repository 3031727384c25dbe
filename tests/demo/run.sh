#!/bin/bash
# The main job on a real server: Debian's gunicorn refuses an upload, its answer
# is lost, and the report says what was lost, where and why.
#
#   tests/demo/run.sh [FILE]     FILE: where to keep the recording
#
# Ends with 0 if the bug was seen. Needs no privilege.
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd) || exit 1
halfclose=$BUILD/halfclose
gunicorn=/usr/bin/gunicorn python=/usr/bin/python3
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

for needed in "$halfclose" "$BUILD/libhalfclose.so" "$gunicorn" "$python"; do
	[ -e "$needed" ] || { echo "demo: there is no $needed" >&2; exit 1; }
done
tmp=$(mktemp -d) || exit 1
recording=${1:-$tmp/demo.hc}
server=

# The server has a session of its own: whatever is left of it ends with us.
clean() {
	[ -z "$server" ] || kill -KILL -- "-$server" 2>/dev/null
	rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

give_up() {
	echo "demo: $*" >&2
	sed 's/^/    /' "$tmp/server" >&2
	exit 1
}

# wait_for COMMAND…: until it succeeds, for a minute at least
wait_for() {
	local tries
	for ((tries = 0; tries < 1200; tries++)); do
		"$@" && return
		sleep 0.05
	done
	return 1
}
has_ended() { ! kill -0 "$1" 2>/dev/null; }
port_of_server() { port=$(sed -n 's,.*Listening at: http://127.0.0.1:\([0-9]*\) .*,\1,p' "$tmp/server") && [ "$port" ]; }

echo "1. Debian's gunicorn, unchanged, runs an application that refuses uploads: it
   answers 413 and 400,000 bytes of text, and reads nothing (tests/demo/app.py).

   \$ halfclose run -o demo.hc -- gunicorn --bind 127.0.0.1:0 app:app
"
setsid timeout --foreground -k 10 300 "$halfclose" run -q -o "$recording" -- \
	"$gunicorn" --chdir "$here" --bind 127.0.0.1:0 app:app </dev/null >"$tmp/server" 2>&1 &
server=$!
port=
wait_for port_of_server || give_up 'gunicorn does not listen'

echo "2. A client with a small receive buffer sends 200,000 bytes of an upload, five
   times, and then reads the answer to its end (tests/demo/client.py):
"
timeout --foreground 200 "$python" "$here/client.py" "$port" 5 \
	'POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n' 200000 4096 late >"$tmp/client" 2>&1 ||
	give_up "the client failed: $(tail -n 1 "$tmp/client")"
sed 's/^/   /' "$tmp/client"

kill -TERM "$server"
wait_for has_ended "$server" || give_up 'gunicorn does not end'
wait "$server"
status=$?
server=
[ "$status" = 0 ] || give_up "gunicorn ended with status $status"

echo "
3. What it did, and where:

   \$ halfclose report demo.hc
"
timeout --foreground 100 "$halfclose" report "$recording" | tee "$tmp/report"
[ "${PIPESTATUS[0]}" = 0 ] || exit 1
[ $# = 0 ] || printf '\nThe recording was kept in %s\n' "$1"

# Seen are: answers that were cut, and a close that is blamed for it.
cut=$(sed -n 's/.*: \([0-9,]*\) of \([0-9,]*\) bytes, then ECONNRESET$/\1 \2/p' "$tmp/client" | awk '$1 != $2' | wc -l)
if [ "$cut" = 0 ] || ! grep -q '^ *error *unread-close' "$tmp/report"; then
	echo 'demo: no answer was lost this time' >&2
	exit 1
fi

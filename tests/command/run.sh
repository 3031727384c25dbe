#!/bin/bash
# The command line as scripts rely on it: exit codes, messages, options.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD

# expect NAME STATUS TEXT COMMAND…: the status it ends with, and a text that it
# says on either output ("" for whatever it says, "-" for nothing)
expect() {
	local name=$1 status=$2 text=$3 out is
	shift 3
	out=$(timeout 60 "$@" 2>&1)
	is=$?
	if [ "$is" != "$status" ]; then
		echo "not ok command: $name: status $is, not $status"
	elif [ "$text" = - ] && [ -n "$out" ]; then
		echo "not ok command: $name: it spoke"
	elif [ "$text" != - ] && [[ $out != *"$text"* ]]; then
		echo "not ok command: $name: not said: $text"
	else
		echo "ok command: $name"
		return
	fi
	printf '%s\n' "$out" | head -n 15 | sed 's/^/    /'
}

# A connection that this program resets: one byte unread.
cat > "$place/reset.py" <<'PY'
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"xy")
while len(server.recv(2, socket.MSG_PEEK)) < 2:
    pass
server.recv(1)
server.close()
client.close()
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
PY
python=/usr/bin/python3
reset=("$python" "$place/reset.py")

expect "the program's status is passed through" 7 "" "$halfclose" run -- "${reset[@]}" 7
expect "a signal is 128 and its number" 143 "SIGTERM" "$halfclose" run -- sh -c 'kill $$'
# shellcheck disable=SC2016 # $$ is the inner shell's
expect "a killed program's connections are counted" 137 "open" "$halfclose" run -- "$python" -c '
import os, socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
os.kill(os.getpid(), 9)'
expect "no such program is 127" 127 "/nonexistent/program" "$halfclose" run -- /nonexistent/program
touch "$place/plain"
expect "a file that can't be executed is 126" 126 "$place/plain" "$halfclose" run -- "$place/plain"
expect "a finding of severity error has the status asked for" 9 "unread-close" \
	"$halfclose" run --error-exitcode=9 -- "${reset[@]}"
expect "the program's own failure wins over it" 3 "" "$halfclose" run --error-exitcode=9 -- "${reset[@]}" 3
expect "the status, where SIGCHLD is ignored" 3 "" bash -c "trap '' CHLD; \"\$0\" run -q -- sh -c 'exit 3'" "$halfclose"
expect "the command has SIGCHLD as it was" 0 "SigIgn:" \
	bash -c "trap '' CHLD; \"\$0\" run -q -- grep -E 'SigIgn:.*[13579bdf]....$' /proc/self/status" "$halfclose"
expect "no finding, no such status" 0 "" "$halfclose" run --error-exitcode=9 -- true
expect "quiet is quiet" 0 - "$halfclose" run --quiet -- "${reset[@]}"
expect "an option of the environment is one of the command's" 0 "No connection" \
	"$halfclose" run --only=port=1 -- "${reset[@]}"
expect "a bad value of one is refused or said" 0 "STACK" "$halfclose" run --stack=some -- true

# the truth is the client's: ECONNRESET, which it exits with
expect "a unix listener's waiting client is reset, and said to be" 104 "backlog-close" \
	"$halfclose" run --sockets=tcp,unix -- "$python" -c '
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind("\0halfclose-test-%d" % __import__("os").getpid())
listener.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(listener.getsockname())
listener.close()
try:
    client.recv(1)
except OSError as error:
    sys.exit(error.errno)'
expect "the recording is kept where it is asked for" 0 "halfclose report" \
	"$halfclose" run -o "$place/kept.hc" -- "${reset[@]}"
expect "and made anew the next time" 0 "" "$halfclose" run -o "$place/kept.hc" -- "${reset[@]}"
expect "report reads it" 0 "closed with input unread" "$halfclose" report "$place/kept.hc"
if [ "$("$halfclose" report --json "$place/kept.hc" | jq '.totals.outcome["reset-unread"]')" = 1 ]; then
	echo "ok command: one run, one reset in it"
else
	echo "not ok command: one run, one reset in it: $("$halfclose" report --json "$place/kept.hc" | jq -c .totals.outcome)"
fi
expect "no colour where it is no terminal" 1 - grep -q $'\033' <("$halfclose" report "$place/kept.hc")
# A graceful end whose peer reads on only when the program is gone.
cat > "$place/late.py" <<'PY'
import os, socket, time
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"xy")
gone, end = os.pipe()
if os.fork() == 0:
    os.close(end)
    server.close()
    listener.close()
    os.read(gone, 1)
    time.sleep(0.3)
    while client.recv(1 << 20):
        pass
    os._exit(0)
client.close()
while len(server.recv(2, socket.MSG_PEEK)) < 2:
    pass
server.setblocking(False)
try:
    while True:
        server.send(bytes(1 << 16))
except BlockingIOError:
    pass
server.close()
PY
alone=(unshare --net --pid --fork --kill-child --mount-proc
	sh -c 'ip link set lo up; "$@"; exit $?' -) # and the drain ends with it
if "${alone[@]}" true 2> /dev/null; then
	expect "a graceful run's summary waits for its drains" 0 "1 answer saved" \
		"${alone[@]}" "$halfclose" run --graceful --drain-quiet=20s -- "$python" "$place/late.py"
else
	echo "skip command: a graceful run: no namespaces can be made here"
fi

if command -v script > /dev/null; then
	expect "colour on a terminal" 0 "" grep -q $'\033' <(TERM=xterm script -qec "$halfclose report $place/kept.hc" /dev/null)
	expect "none there with NO_COLOR" 1 "" \
		grep -q $'\033\\[[0-9;]*m' <(NO_COLOR=1 TERM=xterm script -qec "$halfclose report $place/kept.hc" /dev/null)
fi
if "$halfclose" report "$place/kept.hc" | awk 'length($0) > 80 { exit 1 }'; then
	echo "ok command: a report fits into 80 columns"
else
	echo "not ok command: a report fits into 80 columns: it does not"
fi

expect "a report goes into a file" 0 - "$halfclose" report --json -o "$place/out.json" "$place/kept.hc"
expect "… whole" 0 "" jq -e '.schema == 1' "$place/out.json"
ln -s out.json "$place/link"
expect "… through a link that stays one" 0 - "$halfclose" report -o "$place/link" "$place/kept.hc"
expect "… which is replaced" 0 "halfclose" grep -m 1 -i halfclose "$place/out.json"
expect "a bad recording leaves the file that was there" 1 "not a recording" \
	"$halfclose" report -o "$place/out.json" /etc/passwd
expect "… as it was" 0 "" test -s "$place/out.json" -a -h "$place/link"
expect "a full disk is told" 1 "/dev/full: No space left" "$halfclose" report -o /dev/full "$place/kept.hc"
expect "no such directory is told" 1 "No such file" "$halfclose" report -o "$place/no/out" "$place/kept.hc"
expect "nothing half-written is left" 0 - test -z "$(compgen -G "$place/*.????????")"
expect "a page for a browser goes into its file" 0 - "$halfclose" report --html "$place/page.html" "$place/kept.hc"
expect "… whole" 0 "</html>" tail -n 1 "$place/page.html"
expect "… and nowhere else" 2 "says both the format and the file" \
	"$halfclose" report --html "$place/page.html" --json "$place/kept.hc"
expect "of no recording no page is made" 1 "not a recording" "$halfclose" report --html "$place/none.html" /etc/passwd
expect "… and nothing is left" 1 - test -e "$place/none.html"
expect "a file of another kind is named" 1 "not a recording" "$halfclose" report /etc/passwd
expect "a missing file is named" 1 "$place/none" "$halfclose" log "$place/none"
expect "a directory is named" 1 "$place" "$halfclose" report "$place"
expect "no command is a usage error" 2 "halfclose help" "$halfclose"
expect "an unknown command gets its nearest" 2 "did you mean 'report'" "$halfclose" repot
expect "an unknown option is a usage error" 2 "--jso" "$halfclose" report --jso x
expect "an unknown format gets its nearest" 2 "json" "$halfclose" report --format jsn "$place/kept.hc"
expect "help" 0 "report" "$halfclose" help
expect "help of a command" 0 "error-exitcode" "$halfclose" help run
expect "version" 0 "halfclose " "$halfclose" --version

# Programs that can't be traced: a clear line, and they run all the same.
if echo 'int main(void) { return 5; }' | gcc -static -x c -o "$place/static" - 2>/dev/null; then
	expect "a statically linked program is said to be one, and runs" 5 "static" "$halfclose" run -- "$place/static"
else
	echo "skip command: a statically linked program: no static libc"
fi
if [ "$(id -u)" = 0 ] && cp /bin/true "$place/setuid" && chown nobody "$place/setuid" && chmod u+s "$place/setuid"; then
	expect "a setuid program is said to be one, and runs" 0 "setuid" "$halfclose" run -- "$place/setuid"
fi
printf '#!/usr/bin/env python3\nraise SystemExit(4)\n' > "$place/script" && chmod +x "$place/script"
expect "a script runs by its interpreter" 4 "" "$halfclose" run -- "$place/script"

# Help is for a page of 80 columns, whatever the tables say.
for command in $("$halfclose" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	"$halfclose" help "$command" >"$place/help"
	if why=$(grep -nE '.{81}|\\x' "$place/help"); then
		echo "not ok command: help $command fits: $why"
	elif [ "$(wc -l <"$place/help")" -lt 6 ]; then
		echo "not ok command: help $command fits: it says nothing"
	else
		echo "ok command: help $command fits"
	fi
done

# log --follow shows what comes, and ends by a signal.
HALFCLOSE_LOG=$place/follow.hc LD_PRELOAD=$BUILD/libhalfclose.so "${reset[@]}"
timeout --signal=INT 200 "$halfclose" log --follow "$place/follow.hc" > "$place/followed" &
follower=$!
seen() { grep -c 'reset-unread' "$place/followed"; }
for want in 1 2; do
	for _ in $(seq 600); do
		[ "$(seen)" -ge $want ] && break
		sleep 0.1
	done
	[ $want = 2 ] || HALFCLOSE_LOG=$place/follow.hc LD_PRELOAD=$BUILD/libhalfclose.so "${reset[@]}"
done
kill -INT $follower
wait $follower
if [ "$(seen)" = 2 ]; then
	echo "ok command: log --follow shows what comes"
else
	echo "not ok command: log --follow shows what comes: $(seen) of 2 resets"
fi

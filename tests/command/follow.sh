#!/bin/bash
# halfclose log --follow: files that are to come, grow, are moved, replaced, emptied and cut.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
follower=
trap 'kill $follower 2> /dev/null; rm -rf "$place"' EXIT
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD NO_COLOR DEBUGINFOD_URLS; do unset "$name"; done

cat > "$place/reset.py" <<'PY'
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"x")
while not server.recv(1, socket.MSG_PEEK):
    pass
server.close()
PY
record() { # record FILE: one reset more
	HALFCLOSE_LOG=$1 LD_PRELOAD=$BUILD/libhalfclose.so timeout 60 /usr/bin/python3 "$place/reset.py"
}
follow() { # follow FILE…
	: > "$place/out" # what the one before said is not read for this one's
	: > "$place/err"
	timeout 600 "$halfclose" log --follow "$@" >> "$place/out" 2>> "$place/err" &
	follower=$!
}
soon() { # soon COMMAND…: is it true within 60 s, which only bound a hang?
	local until=$((SECONDS + 60))
	while [ $SECONDS -lt $until ]; do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}
resets() { [ "$(grep -c outcome=reset-unread "$place/out")" = "$1" ]; }
said() { [ "$(grep -c "$1" "$place/err")" = 1 ]; } # once, and not again and again
end() { # end SIGNAL: the status it has then
	kill -"$1" $follower # timeout passes it on
	wait $follower
	local is=$?
	follower=
	return $is
}
# check NAME CONDITION…: conditions, each one word list for soon, between commas
check() {
	local name=$1 condition=()
	shift
	for word in "$@" ","; do
		if [ "$word" != , ]; then
			condition+=("$word")
		elif ! soon "${condition[@]}"; then
			echo "not ok follow: $name: not: ${condition[*]}"
			sed 's/^/    /' "$place/err" | head -n 5
			return
		else
			condition=()
		fi
	done
	echo "ok follow: $name"
}

follow "$place/none.hc"
check "a file that is not there yet is told" said 'none.hc: nothing is recorded there yet'
record "$place/none.hc"
check "… and read when it comes" resets 1
record "$place/none.hc"
check "… and as it grows" resets 2
end INT
check "SIGINT ends it well" [ $? = 0 ] , [ "$(wc -l < "$place/err")" = 1 ]

: > "$place/empty.hc"
follow "$place/empty.hc"
check "a file without a header is waited for" said 'empty.hc: nothing is recorded there yet'
record "$place/empty.hc"
check "… until it has one" resets 1
mv "$place/empty.hc" "$place/moved.hc"
check "that it was moved is told once" said 'empty.hc: was deleted or moved'
record "$place/moved.hc"
check "… and it is read on" resets 2
record "$place/empty.hc"
check "a new file in its place is told once" said 'empty.hc: is another file now'
check "… and read, too" resets 3
end TERM
check "SIGTERM ends it well" [ $? = 0 ] , [ "$(wc -l < "$place/err")" = 3 ]

record "$place/gone.hc"
follow "$place/gone.hc" "$place/moved.hc"
check "two files" resets 3
rm "$place/gone.hc"
check "that one was deleted is told once" said 'gone.hc: was deleted or moved'
: > "$place/moved.hc"
check "that one was emptied is told once" said 'moved.hc: was emptied'
record "$place/moved.hc"
check "… and a new recording in it is read" resets 4
truncate -s 4200 "$place/moved.hc"
check "that it was cut short is told once" said 'moved.hc: was cut short'
check "it goes on all the same" kill -0 $follower
end INT
check "… and ends well" [ $? = 0 ]

: > "$place/other"
follow "$place/other"
check "a file that is to come" said 'waiting'
echo "this is no recording" > "$place/other"
wait $follower
check "… and is no recording: it ends, with a status" [ $? = 1 ] , said 'other: not a recording'
timeout 60 "$halfclose" log --follow /etc/passwd 2> "$place/err"
check "one that is there and none: likewise" [ $? = 1 ] , said 'passwd: not a recording'

# the reader of a pipe goes away, and nothing more is ever recorded
timeout 60 "$halfclose" log --follow "$place/empty.hc" 2> "$place/err" | head -n 1 > "$place/out"
check "a reader that goes away ends it well" [ "${PIPESTATUS[*]}" = "0 0" ] , [ ! -s "$place/err" ]
timeout 60 "$halfclose" log --follow "$place/empty.hc" > /dev/full 2> "$place/err"
check "a full disk ends it, and is told" [ $? = 1 ] , said "standard output can't be written"

if command -v script > /dev/null; then
	script -qec "stty cols 80; '$halfclose' log '$place/empty.hc'" /dev/null | tr -d '\r' > "$place/folded"
	# words longer than the rest of a line (paths) have a line of their own
	wide=$(grep -E '.{81}' "$place/folded" | grep -vcE '^ {24}[^ ]+$')
	check "on a terminal lines are broken between words" [ "$wide" = 0 ] , grep -q '^                        ' "$place/folded"
	tr -s ' \n' ' ' < "$place/folded" > "$place/is"
	"$halfclose" log "$place/empty.hc" | tr -s ' \n' ' ' > "$place/whole"
	check "… and nothing is left out" cmp -s "$place/is" "$place/whole"
else
	echo "skip follow: lines on a terminal: no script"
fi

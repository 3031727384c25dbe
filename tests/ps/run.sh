#!/bin/bash
# `halfclose ps` of a program that holds connections in many states, held to what the
# kernel tells that program itself.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose library=$BUILD/libhalfclose.so holder=$BUILD/tests/ps/holder
place=$(mktemp -d)
chmod 755 "$place"
pid=
trap '[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null; rm -rf "$place"' EXIT
unset LD_PRELOAD HALFCLOSE_LOG HALFCLOSE_STACK DEBUGINFOD_URLS

result() { # result NAME WHY: a WHY is a failure
	if [ -z "$2" ]; then echo "ok ps: $1"; else echo "not ok ps: $1: $2"; fi
}

# start COMMAND…: as a coprocess; pid is the program's that it becomes by exec
start() {
	coproc held { exec "$@" 2>"$place/err"; }
	pid=$held_PID
	tell >/dev/null # once it answers, all is as it shall be
}
stop() {
	exec {held[1]}>&-
	wait "$pid" 2>/dev/null
	pid=
}
tell() { # what the program knows: state and queues of each descriptor
	local line
	echo tell >&"${held[1]}" || return 1
	while read -r -t 60 line <&"${held[0]}" && [ "$line" != . ]; do echo "$line"; done
	[ "${line:-}" = . ]
}

# The same from outside, in the same form: fd state unread unacked cookie
states='["","ESTABLISHED","SYN-SENT","SYN-RECEIVED","FIN-WAIT-1","FIN-WAIT-2","TIME-WAIT","CLOSED","CLOSE-WAIT","LAST-ACK","LISTEN","CLOSING"]'
rows() { # rows FILE
	jq -r --argjson states "$states" '.processes[0] | (.connections[], (.listeners[] |
		.state = "LISTEN" | .unread = .waiting | .unacked = .backlog)) as $c | $c.fds[] |
		"\(.) \($c.state as $s | $states | index($s)) \($c.unread) \($c.unacked) \($c.cookie)"' "$1" | sort -n
}

# a connection that the kernel no longer lists is known by the recording, which has no cookie of it
no_cookie_if_closed() { sed 's/^\([0-9]* 7 .*\) .*/\1/'; }
without_closed() { grep -v '^[0-9]* 7 '; }
# no cookies, and not how many may wait for a listener
of_proc() { without_closed | sed 's/ [^ ]*$//; s/^\([0-9]* 10 .*\) .*/\1/'; }

# agrees NAME [FILTER]: what ps says is what the kernel tells the program. Between two
# of its answers that are the same nothing moved.
agrees() {
	local name=$1 filter=${2:-no_cookie_if_closed} i before='' after=''
	for ((i = 0; i < 20; i++)); do
		before=$(tell) || break
		timeout 60 "$halfclose" ps --json "${options[@]}" "$pid" >"$place/json" 2>"$place/said"
		after=$(tell)
		[ "$before" = "$after" ] && break
	done
	if [ "$before" != "$after" ] || [ -z "$before" ]; then
		result "$name" "the program does not come to rest, or does not answer"
	elif ! cmp -s <(echo "$before" | $filter) <(rows "$place/json" | $filter); then
		result "$name" "differs from the kernel's word"
		diff <(echo "$before" | $filter) <(rows "$place/json" | $filter) | sed 's/^/    /'
		head -5 "$place/said"
	else
		result "$name" ''
	fi
}
is() { # is NAME WANTED FILTER: of the JSON
	local got
	got=$(jq -c "$3" "$place/json" 2>&1)
	if [ "$got" = "$2" ]; then result "$1" ''; else result "$1" "$got, not $2"; fi
}
says() { # says NAME STATUS TEXT COMMAND…
	local name=$1 status=$2 text=$3 out got
	shift 3
	out=$(timeout 60 "$@" 2>&1 </dev/null)
	got=$?
	out=$(echo $out) # one line, however it is broken
	if [ "$got" != "$status" ]; then
		result "$name" "status $got, not $status: ${out:0:200}"
	elif [[ $out != *"$text"* ]]; then
		result "$name" "not said: $text: ${out:0:200}"
	else
		result "$name" ''
	fi
}
options=()
places=4 # two of each family
grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || places=2

# ---- recorded with all stacks ----
start env LD_PRELOAD="$library" HALFCLOSE_LOG="$place/all.hc" HALFCLOSE_STACK=opens "$holder"
agrees 'states and queues are those of the kernel'
is 'CLOSE-WAIT comes first' '["CLOSE-WAIT","CLOSED","other"]' \
	'[.processes[0].connections[].state | if . == "CLOSE-WAIT" or . == "CLOSED" then . else "other" end] |
	 reduce .[] as $s ([]; if .[-1] == $s then . else . + [$s] end)'
is 'of each it is known where it was opened' '[["accepted","take_from"],["connected","open_to"]]' \
	'[.processes[0].connections[].opened | [.how, (.stack[].function | select(. == "take_from" or . == "open_to"))]] | unique'
is 'and since when' true '[.processes[0].connections[] | .us < 600000000 and .us > 0 and (.opened.time | startswith("20"))] | all'
is 'who has read to the end of file' '[false,true,false]' '[.processes[0].connections[] | select(.state == "CLOSE-WAIT" and (.local | startswith("127"))) | [.fds[0], .eof_read]] | sort | map(.[1])'
is 'a copy of a descriptor is the same connection' $((places / 2)) '[.processes[0].connections[] | select(.fds | length == 2)] | length'

timeout 60 "$halfclose" ps "$pid" >"$place/text" 2>&1
result 'text has 80 columns' "$(awk 'length > 80 { print "line " NR " has " length; exit }' "$place/text")"
result 'text counts the places of what was not closed' \
	"$(grep -q "^ *$places  accepted at take_from (.*ps/holder.c:[0-9]*)" "$place/text" || echo "$(grep -m1 take_from "$place/text")")"
result 'text names the file that it was recorded in' "$(tr -d '\n' <"$place/text" | grep -qF "$place/all.hc" || echo 'it does not')"

timeout 60 "$halfclose" ps --stacks --json "$pid" >"$place/json" 2>"$place/said"
is 'what its threads do' '[["main"],["idle_in_thread"]]' \
	'[.processes[0].threads[] | [.stack[].function | select(. == "main" or . == "idle_in_thread")]]'
timeout 60 "$halfclose" ps --stacks "$pid" >"$place/text" 2>&1
result 'a thread has no power over the terminal' \
	"$(grep -q '[0-9] \\x1b\[31mred' "$place/text" && ! grep -q $'\033' "$place/text" || grep red "$place/text" | cat -v)"
agrees 'and they go on afterwards'
result 'nobody traces it afterwards' "$(grep -L '^TracerPid:.0$' "/proc/$pid/status")"

timeout 60 "$halfclose" log --json "$place/all.hc" | jq -s . >"$place/json"
is 'where one was received is in the recording' '["scm-rights","receive_one"]' \
	'[.[] | select(.event == "adopt" and (.local | startswith("127")))][0] | [.via, .stack[0,1].function] | map(select(. == "scm-rights" or . == "receive_one"))'
is 'a close has the stack of its own' '["hold"]' '[.[] | select(.event == "close") | .stack[0].function] | unique - ["receive_one"]'

rm "$place/all.hc"
if [ "$(id -u)" = 0 ]; then
	agrees 'the recording is found where it was deleted'
	is 'and says where each was opened' true '[.processes[0].connections[].opened.stack | length > 0] | all'
else
	echo 'skip ps: the recording is found where it was deleted: needs root'
fi
stop

# ---- less is known ----
start env LD_PRELOAD="$library" HALFCLOSE_LOG="$place/some.hc" "$holder"
agrees 'recorded without those stacks'
is 'how each was opened is known' '["accepted","connected"]' '[.processes[0].connections[].opened.how] | unique'
says 'and that it is not known where' 0 'recorded without HALFCLOSE_STACK=opens' "$halfclose" ps "$pid"
cp "$place/some.hc" "$place/copy.hc"
stop

start env LD_PRELOAD="$library" HALFCLOSE_WARN=off "$holder"
agrees 'preloaded and not recorded' without_closed
says 'it records nothing' 0 'It records nothing (HALFCLOSE_LOG)' "$halfclose" ps "$pid"
says 'an option names a recording' 0 'HALFCLOSE_STACK=opens' "$halfclose" ps --recording "$place/copy.hc" "$pid"
says 'one that is none' 1 'not a recording' "$halfclose" ps --recording "$holder" "$pid"
stop

start "$holder"
agrees 'without the library' without_closed
is 'it is not traced' false '.processes[0].traced'
says 'which it says' 0 'does not run under libhalfclose.so' "$halfclose" ps "$pid"
says 'several at once, one of which is not there' 1 'there is no such process' "$halfclose" ps "$pid" 2147483647
stop

start "$holder" traced
says 'threads that another traces' 1 "process $$ traces it" "$halfclose" ps --stacks "$pid"
{
	kill -KILL "$pid"
	wait "$pid"
} 2>/dev/null
pid=

# ---- the callers in Python ----
if [ "$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = 3.11 ]; then
	cat >"$place/threads.py" <<-'PY'
		import sys, threading, time
		def serve(event):
		    for _ in [0]:
		        event.wait(
		        )
		def main():
		    while sys.stdin.readline(): print(".", flush=True)
		thread = threading.Thread(target=serve, args=(threading.Event(),), daemon=True)
		thread.start()
		while sys._current_frames()[thread.ident].f_code.co_name != "wait":
		    time.sleep(0.001)
		main()
	PY
	start /usr/bin/python3 -u "$place/threads.py"
	timeout 60 "$halfclose" ps --stacks --json "$pid" >"$place/json" 2>"$place/said"
	is 'what its threads do in Python' '[[["main",7],["<module>",12]],[["serve",4]]]' \
		'[.processes[0].threads[] | [.stack[] | select(.language == "python" and (.file | endswith("/threads.py"))) | [.function, .line]]]'
	timeout 60 "$halfclose" ps --stacks "$pid" >"$place/text" 2>&1
	result 'text has them where the interpreter was' \
		"$(grep -A1 'python: main' "$place/text" | grep -q 'python: <module>' && ! grep -q _PyEval "$place/text" || cat "$place/text")"
	tell >/dev/null
	result 'and it answers afterwards' "$([ $? = 0 ] || echo 'it does not')"
	exec {held[1]}>&-
	wait "$pid" 2>/dev/null
	pid=
else
	echo 'skip ps: the callers in Python: needs 3.11'
fi

# ---- threads that have to wait for a processor ----
if taskset -c 0 true 2>/dev/null; then
	start nice -n 19 taskset -c 0 "$holder"
	others=()
	for _ in 1 2 3 4 5 6; do
		timeout 300 taskset -c 0 sh -c 'while :; do :; done' &
		others+=($!)
	done
	for _ in 1 2; do
		timeout 120 "$halfclose" ps --stacks --json "$pid" 2>"$place/said"
	done >"$place/json"
	kill "${others[@]}"
	wait "${others[@]}" 2>/dev/null
	is 'threads that have to wait for a processor' 4 '[., inputs | .processes[0].threads[] | select(.stack | length > 0)] | length'
	stop
else
	echo 'skip ps: threads that have to wait for a processor: none can be chosen'
fi

# ---- who may look ----
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && unshare --net true 2>/dev/null; then
	as_nobody=$place/as_nobody
	# where this tree lies, another user may not come
	cp "$halfclose" "$holder" "$library" "$place"
	library=$place/${library##*/} holder=$place/${holder##*/}
	printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups -- %s "$@"\n' "$place/halfclose" >"$as_nobody"
	chmod 755 "$as_nobody"
	start unshare --net sh -c 'ip link set lo up && exec "$0"' "$holder"
	agrees 'in another network namespace' without_closed
	stop
	start unshare --net --pid --fork --kill-child env LD_PRELOAD="$library" HALFCLOSE_LOG="$place/in.hc" \
		HALFCLOSE_STACK=opens sh -c 'ip link set lo up && exec "$0"' "$holder"
	outer=$pid
	read -r pid < <(cat "/proc/$pid/task/$pid/children" 2>/dev/null; echo)
	if [ -n "$pid" ]; then
		agrees 'where it has another number than here'
	else
		echo 'skip ps: where it has another number than here: this kernel does not list children'
	fi
	pid=$outer
	stop
	start unshare --net sh -c 'ip link set lo up && exec "$0"' "$holder"
	says 'another user may not' 1 'it may not be looked at' "$as_nobody" ps "$pid"
	stop
	start unshare --net sh -c 'ip link set lo up && exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$0"' "$holder"
	halfclose=$as_nobody agrees 'a namespace that may not be entered, by /proc' of_proc
	stop
	mkdir -m 777 "$place/open"
	start setpriv --reuid 65534 --regid 65534 --clear-groups -- env LD_PRELOAD="$library" \
		HALFCLOSE_LOG="$place/open/hc" HALFCLOSE_STACK=opens "$holder"
	halfclose=$as_nobody agrees 'another user of its own'
	is 'who may read its recording' true '[.processes[0].connections[].opened.stack | length > 0] | all'
	rm "$place/open/hc"
	says 'but not a deleted one' 0 "can't be opened" "$as_nobody" ps "$pid"
	stop
else
	echo 'skip ps: other users and namespaces: needs root'
fi

# ---- bad command lines ----
says 'no process' 2 'which process?' "$halfclose" ps
says 'no number' 1 'is no process id' "$halfclose" ps me
says 'a number too large' 1 'is no process id' "$halfclose" ps 99999999999999999999
says 'no such process' 1 'there is no such process' "$halfclose" ps 2147483647
says 'an unknown option' 2 'did you mean --stacks' "$halfclose" ps --stack 1

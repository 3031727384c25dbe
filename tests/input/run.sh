#!/bin/bash
# Bad input: for each subcommand that there is (`halfclose help` names them), each file
# that is no recording and each wrong option gets one clear line and the right status,
# and leaves nothing behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD DEBUGINFOD_URLS
mkdir "$place/out"

result() { # result NAME WHY: "" is well
	if [ -z "$2" ]; then echo "ok input: $1"; else echo "not ok input: $1: ${2//$'\n'/ | }"; fi
}

# told STATUS TEXT COMMAND…: sets $why; one line on standard error that says the text, and nothing else
told() {
	local status=$1 text=$2 is lines
	shift 2
	timeout 60 "$@" > "$place/stdout" 2> "$place/stderr" < /dev/null
	is=$?
	lines=$(wc -l < "$place/stderr")
	why=
	[ $is = "$status" ] || why="status $is, not $status"
	[ "$lines" = 1 ] || why="$lines lines on standard error: $(head -n 2 "$place/stderr")"
	[ ! -s "$place/stdout" ] || why="on standard output: $(head -n 1 "$place/stdout")"
	[[ $(cat "$place/stderr") == "halfclose: "*"$text"* ]] || why="not said: $text; but: $(head -n 1 "$place/stderr")"
	[ -z "$why" ] || why="${*#"$halfclose"}: $why"
}

# ---- what there is ----
commands=$("$halfclose" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p')
options() { # options COMMAND: its long ones, with = where they take an argument
	"$halfclose" help "$1" | sed -n 's/^  \(-.,\|   \)\? *--\([a-z-]*\)\(=\?\).*/\2\3/p'
}
operands() { # operands COMMAND: the words for them; without what is optional
	"$halfclose" help "$1" | sed -n '2s/^ *halfclose [a-z]* *//p' | sed 's/\[OPTION[^]]*\] *//; s/\[[^]]*\]//g; s/\.\.\.//g'
}
is_file() { case $1 in FILE | OLD | NEW | RECORDING) true ;; *) false ;; esac; }
takes_files() {
	local word
	for word in $(operands "$1"); do if is_file "$word"; then return 0; fi; done
	return 1
}
# line COMMAND FILE N: fills the array `line`: FILE as the N-th file, a good one for each other
line() {
	local word nth=0
	line=("$halfclose" "$1")
	for word in $(operands "$1"); do
		if ! is_file "$word"; then
			line+=(1)
		elif [ $((++nth)) = "$3" ]; then
			line+=("$2")
		else
			line+=("$place/good/1.hc")
		fi
	done
	[ "$nth" -ge "$3" ]
}

# ---- files ----
mkdir "$place/good" "$place/bad" "$place/directory"
"$BUILD/tests/golden-compile" tests/golden/teardowns.events "$place/good"
"$BUILD/tests/golden-compile" tests/golden/unreadable.events "$place/bad"
mkfifo "$place/fifo"
head -c 100000 /bin/true > "$place/program"
ln -s nowhere "$place/link"
for command in $commands; do
	takes_files "$command" || continue
	for nth in 1 2; do
		line "$command" x $nth || continue
		while IFS='|' read -r name file text; do
			line "$command" "$place/$file" $nth
			told 1 "$file: $text" "${line[@]}"
			result "$command, file $nth: $name" "$why"
		done <<- 'END'
			no recording|program|not a recording of halfclose
			another magic|bad/1.hc|not a recording of halfclose
			a newer version|bad/2.hc|the recording's version is 2; this halfclose reads up to 1
			the other byte order|bad/3.hc|recorded on a machine of the other byte order
			an empty file|bad/4.hc|the file is empty
			cut in its header|bad/5.hc|the recording is cut off within its header
			a damaged header|bad/6.hc|the recording's header is damaged
			a missing file|none|No such file or directory
			a link to nowhere|link|No such file or directory
			a directory|directory|is a directory
			a FIFO|fifo|is not a regular file
			a file that is none|good/1.hc/x|Not a directory
		END
		line "$command" /dev/null $nth
		told 1 "/dev/null: is not a regular file" "${line[@]}"
		result "$command, file $nth: /dev/null" "$why"
	done
done

# Nobody's rights, not root's.
cp "$place/good/1.hc" "$place/secret.hc"
chmod 600 "$place/secret.hc"
chmod 755 "$place" "$place/good"
as_nobody=()
[ "$(id -u)" != 0 ] || as_nobody=(setpriv --reuid=65534 --clear-groups)
[ "$(id -u)" = 0 ] || chmod 000 "$place/secret.hc"
if "${as_nobody[@]}" "$halfclose" --version > /dev/null 2>&1; then
	for command in $commands; do
		takes_files "$command" || continue
		line "$command" "$place/secret.hc" 1
		told 1 "secret.hc: Permission denied" "${as_nobody[@]}" "${line[@]}"
		result "$command: no permission" "$why"
	done
	why=
	told 1 "secret.supp: Permission denied" "${as_nobody[@]}" "$halfclose" report --suppressions "$place/secret.supp" x
	cp "$place/secret.hc" "$place/secret.supp"
	chmod 600 "$place/secret.supp"
	[ "$(id -u)" = 0 ] || chmod 000 "$place/secret.supp"
	told 1 "secret.supp: Permission denied" "${as_nobody[@]}" "$halfclose" report --suppressions "$place/secret.supp" x
	result "report: no permission for suppressions" "$why"
else
	echo "skip input: no permission: nobody can't execute $halfclose"
fi

# ---- the command line ----
told 2 "which command" "$halfclose"
result "no command" "$why"
for command in $commands; do
	told 2 "did you mean '$command'" "$halfclose" "${command}x"
	result "the nearest command: $command" "$why"
	told 2 "did you mean '$command'" "$halfclose" help "${command}x"
	result "help: the nearest command: $command" "$why"
	told 2 "--nosuchoption" "$halfclose" "$command" --nosuchoption
	result "$command: an unknown option" "$why"
	told 2 "-%" "$halfclose" "$command" -%
	result "$command: an unknown short option" "$why"
	if [ -n "$(operands "$command")" ]; then
		told 2 "halfclose help $command" "$halfclose" "$command"
		result "$command: no operand" "$why"
	fi
	all=
	for option in $(options "$command"); do
		name=${option%=}
		told 2 "did you mean --$name?" "$halfclose" "$command" "--${name}x"
		[ -z "$why" ] || all="$why"
		[ "$name" != "$option" ] || continue
		told 2 "" "$halfclose" "$command" "--$name"
		[ -z "$why" ] || all="$why"
	done
	result "$command: the nearest option, and options without their arguments" "$all"
done
told 2 "there is no command 'xyzzy'; see 'halfclose help'" "$halfclose" xyzzy
result "a command that is near to none" "$why"
for format in $("$halfclose" help report | sed -n '/--format/,/^  -/s/^ \{6\}\([a-z-]*\) .*/\1/p'); do
	told 2 "did you mean '$format'" "$halfclose" report -f "${format}x" "$place/good/1.hc"
	result "report: the nearest format: $format" "$why"
done
told 2 "there is no format 'xyzzy'; there are text, json" "$halfclose" report -f xyzzy "$place/good/1.hc"
result "report: a format that is near to none" "$why"

# ---- nothing half-written ----
for command in $commands; do
	takes_files "$command" || continue
	[[ " $(options "$command" | tr '\n' ' ') " == *" output= "* ]] || continue
	for there in "" "it is mine"; do
		rm -f "$place/out"/*
		[ -z "$there" ] || echo "$there" > "$place/out/file"
		line "$command" "$place/program" 1
		told 1 "not a recording" "${line[@]}" --output "$place/out/file"
		[ "$(cat "$place/out"/* 2> /dev/null)" = "$there" ] || why="$(ls "$place/out"): $(head -c 100 "$place/out"/*)"
		result "$command: ${there:+what was there stays, and }nothing is left of a failure" "$why"
	done
	cp "$place/good/1.hc" "$place/out/own"
	ln -s own "$place/out/link"
	line "$command" "$place/out/own" 1
	told 2 "is one of the recordings" "${line[@]}" --output "$place/out/link"
	cmp -s "$place/good/1.hc" "$place/out/own" || why="it is another now"
	result "$command: not in the place of a recording" "$why"
	line "$command" "$place/good/1.hc" 1
	told 1 "out/no/file: No such file" "${line[@]}" --output "$place/out/no/file"
	result "$command: no directory for the output" "$why"
done
# Each format, killed by the limit of a file's size: the file of before is there, and no other.
for format in $("$halfclose" help report | sed -n '/--format/,/^  -/s/^ \{6\}\([a-z-]*\) .*/\1/p'); do
	rm -f "$place/out"/*
	echo "it is mine" > "$place/out/file"
	for size in 0 1; do # blocks of 1024 bytes
		# shellcheck disable=SC2016 # it is the inner shell's
		bash -c 'ulimit -c 0; ulimit -f "$1"; shift; timeout 60 "$@"; exit $?' limited $size \
			"$halfclose" report -f "$format" -o "$place/out/file" "$place/good/1.hc" > /dev/null 2>&1
		is=$? why=
		[ "$(ls "$place/out")" = file ] || why="left behind: $(ls "$place/out")"
		[ $is = 0 ] || [ "$(cat "$place/out/file")" = "it is mine" ] || why="half-written: $(head -c 100 "$place/out/file")"
		[ -z "$why" ] || break
	done
	result "report: $format that finds no room leaves what was there" "$why"
done

# What can't be written is told: no room on standard output.
for command in $commands; do
	takes_files "$command" || continue
	line "$command" "$place/good/1.hc" 1
	timeout 60 "${line[@]}" > /dev/null 2>&1 < /dev/null
	is=$?
	[ $is != 124 ] || continue # it does not end by itself
	timeout 60 "${line[@]}" > /dev/full 2> "$place/stderr" < /dev/null
	[ $? = 1 ] && why= || why="another status"
	grep -q "standard output can't be written" "$place/stderr" || why="not said"
	result "$command: no room on standard output" "$why"
done

# ---- a recording that is cut: the unit test of the reader tries each place ----
good=$place/good/1.hc cut=$place/cut.hc
size=$(stat -c %s "$good")
for at in 1 13 14 100 4095 4096 4097 4128 $((size / 2)) $((size - 33)) $((size - 1)); do
	head -c $at "$good" > "$cut"
	for command in $commands; do
		takes_files "$command" || continue
		line "$command" "$cut" 1
		timeout 60 "${line[@]}" > "$place/stdout" 2> "$place/stderr" < /dev/null
		is=$? why=
		[ $is -le 3 ] || [ $is = 124 ] || why="status $is"
		if [ $at -lt 184 ]; then
			[ $is = 1 ] && [ ! -s "$place/stdout" ] && [ "$(wc -l < "$place/stderr")" = 1 ] || why="status $is, or not one line"
		elif [ $is = 0 ]; then
			cat "$place/stdout" "$place/stderr" | grep -qE 'damaged|cut off' || why="nothing is said to be missing"
		fi
		result "$command: a recording that is cut at $at of $size" "$why"
	done
done

# ---- a recording that grows while it is read ----
cat > "$place/grow.py" <<'PY'
import os, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
while not os.path.exists(sys.argv[1]):
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.close()
    server.recv(1)
    server.close()
    time.sleep(0.0005)  # or it would grow faster than it can be read
PY
HALFCLOSE_LOG=$place/grow.hc LD_PRELOAD=$BUILD/libhalfclose.so timeout 600 /usr/bin/python3 "$place/grow.py" "$place/stop" &
grower=$!
for _ in $(seq 1000); do
	[ "$("$halfclose" report --json "$place/grow.hc" 2> /dev/null | jq .connections)" -gt 0 ] 2> /dev/null && break
	sleep 0.05
done
why="" seen=0
for _ in 1 2 3 4 5 6 7 8; do
	"$halfclose" report --json "$place/grow.hc" > "$place/stdout" 2> "$place/stderr" || why="status $?: $(cat "$place/stderr")"
	now=$(jq 'select(.damaged == 0) | .connections' "$place/stdout")
	[ "${now:-0}" -ge "$seen" ] && [ "${now:-0}" -gt 0 ] || why="${now:-damage} after $seen connections"
	seen=${now:-0}
	"$halfclose" log --json "$place/grow.hc" 2> /dev/null | jq -c .event > /dev/null || why="log: no JSON"
	"$halfclose" diff "$place/grow.hc" "$place/grow.hc" > /dev/null 2> "$place/stderr" || [ $? = 3 ] || why="diff: $(cat "$place/stderr")"
	for format in csv trace sarif openmetrics; do
		"$halfclose" report -f $format "$place/grow.hc" > /dev/null 2> "$place/stderr" || why="$format: $(cat "$place/stderr")"
	done
done
touch "$place/stop"
wait $grower
result "a recording that grows while it is read" "$why"

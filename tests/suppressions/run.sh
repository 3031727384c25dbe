#!/bin/bash
# Findings that shall not be reported: what is left out, what is said of it, and what
# is wrong with a file of suppressions.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD DEBUGINFOD_URLS

result() { # result NAME WHY: "" is well
	if [ -z "$2" ]; then echo "ok suppressions: $1"; else echo "not ok suppressions: $1: $2"; fi
}

# What --gen-suppressions makes of any recording suppresses all of its findings, and
# each of them is used (but for a finding that another's suppression covers).
for events in tests/golden/*.events; do
	name=$(basename "$events" .events) why=
	mkdir "$place/$name"
	"$BUILD/tests/golden-compile" "$events" "$place/$name"
	"$halfclose" report --json "$place/$name"/*.hc > "$place/before" 2> /dev/null || continue
	"$halfclose" report --gen-suppressions -o "$place/$name.supp" "$place/$name"/*.hc || why="not made"
	"$halfclose" report --json --suppressions "$place/$name.supp" "$place/$name"/*.hc > "$place/after" 2> "$place/err" ||
		why="refused"
	[ "$(jq '.findings | length' "$place/after")" = 0 ] || why="findings are left"
	[ "$(jq '.suppressed' "$place/after")" = "$(jq '[.findings[].count] | add // 0' "$place/before")" ] ||
		why="$(jq .suppressed "$place/after") times suppressed"
	[ "$(jq -c '[.totals, .connections]' "$place/after")" = "$(jq -c '[.totals, .connections]' "$place/before")" ] ||
		why="the totals are others"
	grep -v 'was not used' "$place/err" > "$place/other" && why=$(head -n 1 "$place/other")
	result "its own suppress all of $name" "$why"
done

hc=$place/teardowns/1.hc
cat > "$place/some.supp" <<'END'
# two that are used, and one that is not
[linger on purpose]
rule = linger-close
port = 80

[by exit]
rule = left-*
how = exit

[nobody]
function = nobody
END
why=
out=$("$halfclose" report --suppressions "$place/some.supp" "$hc" 2> "$place/err") || why="status $?"
[[ $out == *"Findings (4; 2 times one was suppressed):"* ]] || why="the count is not said"
[[ $out == *"        1 linger on purpose"* && $out == *"        1 by exit"* ]] || why="the used ones are not said"
[[ $out == *linger-close* ]] && why="it is reported"
[ "$(cat "$place/err")" = "halfclose: $place/some.supp:10: the suppression 'nobody' was not used" ] ||
	why="of the unused: $(cat "$place/err")"
result "used ones are counted, unused ones told" "$why"

is=$("$halfclose" report --json --suppressions "$place/some.supp" "$hc" 2> /dev/null |
	jq -c '[.suppressed, [.suppressions[] | [.name, .line, .count]], ([.findings[].rule] | index("linger-close"))]')
want='[2,[["linger on purpose",2,1],["by exit",6,1],["nobody",10,0]],null]'
[ "$is" = "$want" ] && is=
result "the same in JSON" "$is"

printf '[nobody]\nport = 1\n[else]\nrule = unread-close\n' > "$place/more.supp"
is=$("$halfclose" report --json --suppressions "$place/some.supp" --suppressions "$place/more.supp" "$hc" 2> /dev/null |
	jq -c '[.suppressed, (.suppressions | length)]')
[ "$is" = '[3,5]' ] && is=
result "several files" "$is"

for format in sarif openmetrics suppressions text; do
	why=
	"$halfclose" report -f $format --suppressions "$place/some.supp" "$hc" 2> /dev/null |
		grep -v '^ *"id": ' | grep -q 'linger-close' && why="it is there"
	result "not in $format" "$why"
done

# A run: its status is without what is suppressed.
cat > "$place/reset.py" <<'PY'
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"xy")
while len(server.recv(2, socket.MSG_PEEK)) < 2:
    pass
server.recv(1)
server.close()
client.close()
PY
run=("$halfclose" run --error-exitcode=9)
"${run[@]}" -o "$place/run.hc" -- /usr/bin/python3 "$place/reset.py" 2> /dev/null
[ $? = 9 ] && why= || why="no finding to suppress"
"$halfclose" report --gen-suppressions -o "$place/run.supp" "$place/run.hc"
"${run[@]}" --suppressions "$place/run.supp" -- /usr/bin/python3 "$place/reset.py" 2> "$place/err"
status=$?
[ $status = 0 ] || why="status $status"
grep -q 'No findings; .* suppressed' "$place/err" || why="not said: $(tail -n 1 "$place/err")"
result "run: --error-exitcode is without them" "$why"
"${run[@]}" --suppressions "$place/some.supp" -- /usr/bin/python3 "$place/reset.py" 2> "$place/err"
[ $? = 9 ] && grep -q "'nobody' was not used" "$place/err" && why= || why="$(tail -n 1 "$place/err")"
result "run: what they don't hold for counts" "$why"

# What is wrong is told with its line, once for each line; nothing is run or written.
refused() { # refused NAME TEXT…: each said, status 1
	local name=$1 out status text why=
	shift
	out=$("$halfclose" report -o "$place/none" --suppressions "$place/bad.supp" "$hc" 2>&1)
	status=$?
	[ $status = 1 ] || why="status $status"
	for text; do [[ $out == *"$text"* ]] || why="not said: $text; but: $out"; done
	[ "$(grep -c . <<< "$out")" = $# ] || why="$(grep -c . <<< "$out") lines"
	[ ! -e "$place/none" ] || why="something was written"
	out=$("$halfclose" run --suppressions "$place/bad.supp" -- touch "$place/ran" 2>&1)
	status=$?
	[ $status = 1 ] && [ ! -e "$place/ran" ] || why="run: status $status"
	rm -f "$place/none" "$place/ran"
	result "$name" "$why"
}
bad=$place/bad.supp
printf '[a]\nrulo = unread-close\nrule = unread-clos\n\nport = x\npeer = 300.0.0.1\nno pair\n[b]\n[c\nhow = close\n' > "$bad"
refused "each line that is wrong is told" "bad.supp:2: there is no key 'rulo'; did you mean 'rule'?" \
	"bad.supp:3: there is no rule 'unread-clos'; did you mean 'unread-close'?" "bad.supp:5: port = N or N-M" \
	"bad.supp:6: peer = ADDRESS" "bad.supp:7: neither" "bad.supp:8: [b] has no line" "bad.supp:9: the name has no ']'"
printf 'rule = unread-close\n' > "$bad"
refused "a key without a name" "bad.supp:1: a suppression begins with its '[name]'"
head -c 20000 /bin/true > "$bad"
out=$("$halfclose" report --suppressions "$bad" "$hc" 2>&1)
[ "$(grep -c . <<< "$out")" -le 9 ] && grep -q 'more lines' <<< "$out" && why= || why="$(grep -c . <<< "$out") lines said"
result "a file that is no suppressions is told in a few lines" "$why"
rm "$bad"
refused "a missing file" "bad.supp: No such file or directory"
mkdir "$bad"
refused "a directory" "bad.supp: Is a directory"
rmdir "$bad"
ln -s /dev/zero "$bad"
refused "a file without end" "bad.supp: is too large"
rm "$bad"
: > "$bad"
"$halfclose" report --suppressions "$bad" "$hc" > /dev/null 2> "$place/err" && [ ! -s "$place/err" ] && why= || why="refused"
result "an empty file suppresses nothing" "$why"
why=
"$halfclose" report --json --suppressions <(printf '[a]\nrule = *\n') "$hc" 2>&1 | jq -e '.findings == []' > /dev/null || why="not read"
result "a pipe" "$why"

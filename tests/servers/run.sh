#!/bin/bash
# Servers and a client as Debian ships them, unchanged: each refuses uploads and
# answers other requests, bare, recorded, and with warnings. Asserted is that
# they behave the same in all three, and that the report says what the kernel
# counted.
#
# A row has a network namespace of its own, so that the kernel's counters are
# its own too; it has no name and ends with the row. Hence the one port.
#
#   tests/servers/run.sh [ROW…]     default: all;  BUILD: where the programs are
# shellcheck disable=SC2317,SC2016 # functions are called by name; filters have $ of their own
set -u
here=$(cd "$(dirname "$0")" && pwd)
demo=$(cd "$here/../demo" && pwd)
export BUILD=${BUILD:-$here/../../build} LC_ALL=C PYTHONDONTWRITEBYTECODE=1
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok servers: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose
python=/usr/bin/python3 port=8000
inside=${SERVERS_ROW:-}
unset SERVERS_ROW
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done

if [ -z "$inside" ]; then
	for tool in jq nstat ss ip unshare setsid curl "$python"; do
		command -v "$tool" >/dev/null || { echo "skip servers: all: no $tool"; exit 0; }
	done
	for file in "$library" "$halfclose"; do
		[ -e "$file" ] || { echo "not ok servers: build: no $file"; exit 1; }
	done
	own=(unshare --net)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net)
	"${own[@]}" ip link set lo up 2>/dev/null || { echo "skip servers: all: no network namespace can be made here"; exit 0; }
else
	ip link set lo up
fi
tmp=$(mktemp -d) || exit 1
export TMPDIR=$tmp
mkdir "$tmp/empty"
server=
failed=0

# A server has a session of its own: whatever is left of it ends with us.
clean() {
	[ -z "$server" ] || kill -KILL -- "-$server" 2>/dev/null
	rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

why=''
fail() { why="${why:+$why; }$*"; }

# wait_for COMMAND…: until it succeeds, for a minute and more
wait_for() {
	local tries
	for ((tries = 0; tries < 1200; tries++)); do
		"$@" && return
		sleep 0.05
	done
	return 1
}
has_ended() { ! kill -0 "$server" 2>/dev/null; }
listens() { ss -Hltn "sport = :$port" | grep -q .; }
listens_or_not() { listens || has_ended; }
# Has every connection ended for the kernel too? The client sees the end of it
# before the server has closed it.
quiet() { ! ss -Htan | grep -qvE '^(LISTEN|TIME-WAIT)'; }

aborts_on_close() { nstat -asz TcpExtTCPAbortOnClose | awk '$1 ~ /OnClose/ { print $2 }'; }

# ---- The clients: how often, and what ----

# ask TIMES HEAD [REST [WINDOW [late]]]: see client.py
ask() { "${under[@]}" "$python" "$demo/client.py" "$port" "$@"; }

http() { # http TIMES BYTES PATH [late]: so many bytes of a longer upload
	ask "$1" "POST $3 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" "$2" 0 "${4:-}"
	ask 5 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
}

redis() { # redis TIMES BYTES: so many bytes of a string that is too long
	ask "$1" '*1\r\n$99999999999\r\n' "$2"
	ask 5 'PING\r\nQUIT\r\n'
}

curl_each() { # curl_each TIMES PATH [OPTION…]
	local times
	for ((times = 0; times < $1; times++)); do
		"${under[@]}" curl -s -o "$tmp/answer" -w '%{http_code}: curl\n' "${@:3}" "http://127.0.0.1:$port$2"
	done
}

curl_upload() { # curl_upload TIMES, in two sizes: curl sends the small one together with the head
	local size
	for size in 60000 3000000; do
		head -c "$size" /dev/zero >"$tmp/upload"
		curl_each "$1" / -H Expect: --data-binary "@$tmp/upload"
	done
	curl_each 5 /
}

curl_gives_up() { # curl_gives_up TIMES: on an answer that comes in one piece, of which it reads 4 KB
	head -c 30000 /dev/zero >"$tmp/empty/long"
	curl_each "$1" /long --max-filesize 1000 --limit-rate 4k
	curl_each 5 /
}

# ---- A row ----

# attempt MODE CLIENT COMMAND…: one run, with its results in $tmp/MODE.*
attempt() {
	local mode=$1 client=$2 before
	local under=(timeout --foreground -k 2 200)
	shift 2
	case $mode in
	recorded) under+=(env "HALFCLOSE_LOG=$tmp/recorded.hc" "LD_PRELOAD=$library") ;;
	warned) under+=(env "LD_PRELOAD=$library") ;;
	esac
	before=$(aborts_on_close)
	cd "$tmp/empty" || exit 1
	: >"$tmp/$mode.client" 2>"$tmp/$mode.client_errors"
	setsid "${under[@]}" "$@" </dev/null >"$tmp/$mode.server" 2>&1 &
	server=$!
	wait_for listens_or_not
	if listens; then
		$client >"$tmp/$mode.client" 2>"$tmp/$mode.client_errors"
		wait_for quiet || fail "$mode: connections have not ended: $(ss -Htan | xargs)"
	else
		fail "$mode: does not listen"
	fi
	kill -TERM "$server" 2>/dev/null
	if ! wait_for has_ended; then
		fail "$mode: does not end"
		kill -KILL -- "-$server"
	fi
	wait "$server" 2>/dev/null
	echo $? >"$tmp/$mode.status"
	server=
	echo $(($(aborts_on_close) - before)) >"$tmp/$mode.kernel"
}

# What a run looked like from outside, but for what is chance: numbers, how far
# the client got, and whether it got anything (bare, too, answers are lost whole).
appearance() {
	sed 's/: .*//' "$tmp/$1.client" | grep -vxE '(000)?' | sort -u
	cat "$tmp/$1.status"
	sed 's/[0-9]\+/N/g' "$tmp/$1.server" | grep -v '^halfclose: ' | sort -u
}

same_as_bare() { # same_as_bare MODE
	diff <(appearance bare) <(appearance "$1") >"$tmp/errors" || fail "$1 it differs: $(grep '^[<>]' "$tmp/errors" | xargs)"
}

report() { # report FILTER: holds for the report
	jq -e --arg exe "$exe" "$1" "$tmp/report" >/dev/null 2>&1 ||
		fail "report: not $1: $(jq -c '[.totals, [.findings[]? | [.rule, .exe, .count]]]' "$tmp/report" 2>&1)"
}

warnings() { grep -hE "^halfclose: $1" "$tmp/$2.server" "$tmp/$2.client_errors"; }

# Truth: the kernel's own count of closes with unread input. The library asks for
# it as the last thing before the close; a peer that is sending can put a piece
# in between, which the kernel alone sees. So three runs may try to be exact.
record() { # record CLIENT COMMAND…
	local tries
	for tries in 1 2 3; do
		rm -f "$tmp/recorded.hc"
		attempt recorded "$@"
		truth=".totals.outcome[\"reset-unread\"] == $(<"$tmp/recorded.kernel")"
		if ! timeout 60 "$halfclose" report --json "$tmp/recorded.hc" >"$tmp/report" 2>"$tmp/errors"; then
			fail "report: $(grep -m 1 . "$tmp/errors")"
			return
		fi
		jq -e "$truth" "$tmp/report" >/dev/null && return
		echo "# $inside: run $tries: not $truth but $(jq '.totals.outcome["reset-unread"]' "$tmp/report")"
	done
}

judge() { # judge HOW
	local mode how
	for mode in recorded warned; do
		same_as_bare "$mode"
	done
	warnings '' recorded >"$tmp/errors" && fail "recorded, it says: $(head -n 1 "$tmp/errors")"

	timeout 60 "$halfclose" log --json "$tmp/recorded.hc" >"$tmp/log" 2>"$tmp/errors" ||
		fail "log: status $?: $(grep -m 1 . "$tmp/errors")"
	report "$truth"
	report '.schema == 1 and .lost_events == 0 and .damaged == 0'
	how=$(jq -r 'select(.outcome == "reset-unread").how' "$tmp/log" | sort -u | xargs)
	[ "$how" = "${1#none}" ] || fail "log: reset by '$how', not by '$1'"
	if [ "$1" = none ]; then
		report '.totals.teardown["half-close"] >= 20 and all(.findings[]; .rule != "unread-close")'
		warnings '' warned >"$tmp/errors" && fail "it is warned: $(head -n 1 "$tmp/errors")"
	else
		report '[.findings[] | select(.rule == "unread-close")] | . != [] and all(.exe == $exe and .severity == "error")'
		warnings "${exe##*/}\\[[0-9]+\\]: $1 of descriptor [0-9]+ with [0-9,]+ bytes? unread: a reset" warned >"$tmp/errors" ||
			fail "it is not warned"
	fi
}

# Does the row run here? Outside, it is started in a namespace of its own.
row_is() {
	local wanted=" ${rows[*]} "
	if [ -z "$inside" ]; then
		[ "${#rows[@]}" = 0 ] || [[ $wanted = *" $1 "* ]] || return
		SERVERS_ROW=$1 "${own[@]}" bash "$here/run.sh" || failed=1
		return 1
	fi
	[ "$inside" = "$1" ]
}

tell() { # tell ROW
	if [ "$why" ]; then
		echo "not ok servers: $1: $why"
		tail -n 8 "$tmp"/*.server "$tmp"/*.client "$tmp"/*.client_errors 2>/dev/null | sed 's/^/# /'
		failed=1
	else
		echo "ok servers: $1"
	fi
}

# row NAME PROGRAM HOW CLIENT COMMAND…
#   PROGRAM who closes with input unread, and HOW; none: it does not
#   CLIENT  one of the above, with its arguments
row() {
	local exe truth
	row_is "$1" || return
	if ! exe=$(realpath -e "$2") || [ ! -x "$5" ]; then
		echo "skip servers: $1: no $5"
		return
	fi
	attempt bare "$4" "${@:5}"
	record "$4" "${@:5}"
	attempt warned "$4" "${@:5}"
	judge "$3"
	tell "$1"
	echo "# $1: $(jq -c '[.totals.outcome, .totals.teardown] | map(with_entries(select(.value > 0)))' "$tmp/report")," \
		"the kernel: $(<"$tmp/recorded.kernel") ($(<"$tmp/bare.kernel") bare)"
}

rows=("$@")
gunicorn=(/usr/bin/gunicorn --chdir "$demo" --bind "127.0.0.1:$port" app:app)
node=(/usr/bin/node "$here/node.js" "$port")
java=(/usr/bin/java -XX:-UsePerfData)
nginx=(/usr/sbin/nginx -p "$tmp/empty" -c "$here/nginx.conf" -g 'daemon off; user root;')
# where ids are mapped, the worker can't become another user
[ "$(cat /proc/self/setgroups 2>/dev/null)" != deny ] || nginx[6]+=' master_process off;'

row gunicorn     "$python"        close   'http 20 60000 /'      "${gunicorn[@]}"
row http.server  "$python"        close   'http 20 1000000 /'    "$python" -m http.server --bind 127.0.0.1 "$port"
row redis        /usr/bin/redis-server close 'redis 20 200000'   /usr/bin/redis-server --bind 127.0.0.1 --port "$port" --save ''
row webrick      /usr/bin/ruby    close   'http 20 60000 /'      /usr/bin/ruby "$here/webrick.rb" "$port"
row node         /usr/bin/node    syscall 'http 20 1000000 /end' "${node[@]}"
row node-destroy /usr/bin/node    syscall 'http 20 1000000 /'    "${node[@]}"
row nginx        /usr/sbin/nginx  none    'http 20 1000000 /'    "${nginx[@]}"
row java         /usr/bin/java    close   'http 20 1000000 /'    "${java[@]}" "$here/Refuse.java" "$port"
# A thread that writes is interrupted by another one's close: Java does that by dup2.
row java-timeout /usr/bin/java    dup2    'http 2 60000 /long late' "${java[@]}" -Dsun.net.httpserver.maxReqTime=1 "$here/Refuse.java" "$port"
row curl         "$python"        close   'curl_upload 10'       "${gunicorn[@]}"
row curl-stops   /usr/bin/curl    close   'curl_gives_up 20'     "${nginx[@]}"

# What `make demo` shows a newcomer.
if row_is demo; then
	timeout 200 "$demo/run.sh" >"$tmp/demo.client" 2>&1 || fail "status $?"
	where='python: close \(gunicorn/util\.py:[0-9]+\)' # the callers are known of 3.11
	[ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = 3.11 ] || where="CPython's socket\.close"
	for line in 'HTTP/1.1 413 .* of 400,000 bytes, then ECONNRESET' 'error: closed with input unread' \
		'[0-9,]+ bytes unread; [0-9,]+ bytes written and not acknowledged' "$where" \
		'cure When the answer is written: shutdown'; do
		grep -qE "$line" "$tmp/demo.client" || fail "it does not say '$line'"
	done
	[ "$(wc -L <"$tmp/demo.client")" -le 80 ] || fail 'its lines are longer than 80 columns'
	[ "$(ls "$tmp")" = "demo.client
empty" ] || fail "it leaves files: $(ls "$tmp")"
	tell demo
fi
exit $failed

#!/bin/bash
# Servers of Debian, unchanged, that lose answers: how many of them come whole to
# a client, bare and with HALFCLOSE_GRACEFUL=all. What is asked, and what counts
# as whole, is in client.py; beside it the resets that the kernel counted.
#
#   tests/victims/run.sh [--table] [--times N] [--drain HOW] [ROW…]
#     --table  prints what it saw as a table (of Markdown), and judges nothing
#     --times  how often each is asked: 10, with --table 200
#     --drain  HALFCLOSE_DRAIN, where not the default
#     ROW      default: all
#
# A row has a network namespace of its own, so that the kernel's counters are,
# and a process namespace, whose end ends whatever the row has left behind.
# shellcheck disable=SC2317,SC2016 # functions are called by name; Markdown has `
set -u
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$here/../../build} LC_ALL=C PYTHONDONTWRITEBYTECODE=1
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok victims: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so
python=/usr/bin/python3 port=8000
inside=${VICTIMS_ROW:-}
unset VICTIMS_ROW
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done

check=1 times='' drain=''
options=("$@")
while [[ ${1:-} = --* ]]; do
	case $1 in
	--table) check='' ;;
	--times) times=$2 && shift ;;
	--drain) drain=$2 && shift ;;
	*) echo "victims: no option $1" >&2 && exit 2 ;;
	esac
	shift
done
times=${times:-${check:+10}} times=${times:-200}
rows=("$@")
failed=0 graceful=all lingering=off

if [ -z "$inside" ]; then
	for tool in nstat ss ip unshare "$python"; do
		command -v "$tool" >/dev/null || { echo "skip victims: all: no $tool"; exit 0; }
	done
	for file in "$library" "$BUILD/halfclose-drain"; do
		[ -e "$file" ] || { echo "not ok victims: build: no $file"; exit 1; }
	done
	own=(unshare --net --pid --fork --kill-child --mount-proc)
	"${own[@]}" true 2>/dev/null || own=("${own[@]}" --user --map-root-user)
	"${own[@]}" ip link set lo up 2>/dev/null || { echo "skip victims: all: no namespaces can be made here"; exit 0; }
else
	ip link set lo up
fi
tmp=$(mktemp -d) || exit 1
export TMPDIR=$tmp
server=

clean() {
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null
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
stopped() { ! listens; }
quiet() { ! ss -Htan | grep -qvE '^(LISTEN|TIME-WAIT)'; }

resets() { nstat -asz TcpExtTCPAbortOnClose TcpExtTCPAbortOnData | awk '/TCPAbort/ { n += $2 } END { print n + 0 }'; }

# ---- Clients: each prints how many answers came whole, and then what became of others ----

scenario() { # scenario PROTOCOL NAME
	timeout 300 "$python" "$here/client.py" "$port" "$1" "$2" "$times"
}

each() { # each COMMAND…: so often; it leaves the answer in $tmp/answer
	local n whole=0
	for ((n = 0; n < times; n++)); do
		rm -f "$tmp/answer"
		timeout 60 "$@" >&2
		cmp -s "$tmp/answer" "$tmp/files/upload" && : $((whole++))
	done
	echo "$whole"
}
by_curl() { each curl -s -S -o "$tmp/answer" -H Expect: --data-binary "@$tmp/sent" "$url"; }
by_wget() { each wget -nv --tries=1 --content-on-error -O "$tmp/answer" --post-file="$tmp/sent" "$url"; }
by_requests() { timeout 300 "$python" "$here/requests_upload.py" "$url" "$times" "$tmp/sent" "$tmp/files/upload"; }
by_fetch() { timeout 300 node "$here/fetch_upload.js" "$url" "$times" "$tmp/sent" "$tmp/files/upload"; }

# ---- A row ----

# What differs from run to run: inetd takes LD_PRELOAD out of the environment
# that its programs get, so it is given again.
configure() { # configure MODE
	local again=''
	[ "$1" = bare ] || again="LD_PRELOAD=$library"
	echo "127.0.0.1:$port stream tcp nowait.100000 root /usr/bin/env env $again /usr/sbin/micro-httpd $tmp/files" >"$tmp/inetd.conf"
}

# with_server MODE QUESTIONS COMMAND…: starts it, runs `QUESTIONS MODE`, ends it
with_server() {
	local mode=$1 questions=$2 under=(env)
	shift 2
	[ "$mode" = bare ] || under+=("LD_PRELOAD=$library" "HALFCLOSE_GRACEFUL=$graceful" ${drain:+"HALFCLOSE_DRAIN=$drain"})
	configure "$mode"
	cd "$tmp/files" || exit 1
	"${under[@]}" "$@" </dev/null >"$tmp/$mode.server" 2>&1 &
	server=$!
	wait_for listens_or_not
	if listens; then
		$questions "$mode"
	else
		fail "$mode: does not listen"
	fi
	kill -TERM "$server" 2>/dev/null
	wait_for has_ended || kill -KILL "$server"
	wait "$server" 2>/dev/null
	server=
	wait_for stopped || fail "$mode: still listens"
}

# ask MODE NAME COMMAND…: whole answers to $tmp/MODE.NAME, resets to $tmp/MODE.NAME.resets
ask() {
	local mode=$1 name=$2 before
	shift 2
	before=$(resets)
	"$@" >"$tmp/$mode.$name" 2>"$tmp/$mode.$name.errors" || fail "$mode: $name: status $?"
	wait_for quiet || fail "$mode: $name: connections have not ended: $(ss -Htan | xargs)"
	echo $(($(resets) - before)) >"$tmp/$mode.$name.resets"
}
ask_both() {
	local name
	for name in upload tail; do
		ask "$1" "$name" scenario "$protocol" "$name"
	done
}
ask_clients() {
	local name
	for name in "${clients[@]}"; do
		ask "$1" "$name" "by_$name"
	done
}

whole() { head -n 1 "$tmp/$1"; }
others() { tail -n +2 "$tmp/$1" | sed 's/^/; /' | tr -d '\n'; }
figures() { # figures NAME
	printf ' %s | **%s** | %s, %s |' "$(whole "bare.$1")" "$(whole "graceful.$1")" \
		"$(<"$tmp/bare.$1.resets")" "$(<"$tmp/graceful.$1.resets")"
}

# judge BARE NAME: every answer came whole, and where bare loses, some did not
judge() {
	[ "$(whole "graceful.$2")" = "$times" ] ||
		fail "$2: $(whole "graceful.$2") of $times whole$(others "graceful.$2"); bare $(whole "bare.$2")"
	[ "$1" != loses ] || [ "$(whole "bare.$2")" -lt "$times" ] || fail "$2: bare, too, all are whole: nothing is shown"
}

tell() { # tell ROW
	if [ "$why" ]; then
		echo "not ok victims: $1: $why"
		tail -n 5 "$tmp"/*.server "$tmp"/*.errors 2>/dev/null | sed 's/^/# /'
		failed=1
	elif [ "$check" ]; then
		echo "ok victims: $1"
	fi
}

# Does the row run here? Outside, it is started in namespaces of its own: one by
# one where a table is made of it, else some at a time.
running=0 started=()
row_is() {
	local wanted=" ${rows[*]} "
	if [ -z "$inside" ]; then
		[ "${#rows[@]}" = 0 ] || [[ $wanted = *" $1 "* ]] || return
		started+=("$1")
		VICTIMS_ROW=$1 "${own[@]}" bash "$here/run.sh" "${options[@]}" >"$tmp/$1.row" &
		if [ -z "$check" ]; then
			wait -n || failed=1
			cat "$tmp/$1.row"
		elif ((++running > 3)); then
			: $((running--))
			wait -n || failed=1
		fi
		return 1
	fi
	[ "$inside" = "$1" ]
}

prepare() {
	mkdir -p "$tmp/files"
	seq -f %07.0f 0 49999 >"$tmp/files/upload"
	seq -f %07.0f 0 124999 >"$tmp/files/tail"
	head -c 1000000 /dev/zero >"$tmp/sent"
	cp "$here/nginx.conf" "$tmp"
	echo "lingering_close $lingering;" >"$tmp/lingering.conf"
}

# row NAME UPLOAD TAIL PROTOCOL 'THE SERVER|HOW IT WORKS' COMMAND…
#   UPLOAD, TAIL  loses: bare, some answers don't arrive whole; may: it is chance,
#                 or the server knows better
row() {
	local name protocol=$4
	row_is "$1" || return
	if [ ! -x "$6" ]; then
		echo "skip victims: $1: no $6"
		return
	fi
	prepare
	with_server bare ask_both "${@:6}"
	with_server graceful ask_both "${@:6}"
	if [ "$check" ]; then
		judge "$2" upload
		judge "$3" tail
	else
		echo "| ${5%|*} | ${5#*|} |$(figures upload)$(figures tail)"
		for name in upload tail; do
			[ "$(whole "graceful.$name")" = "$times" ] || echo "$1: $name: $(whole "graceful.$name")$(others "graceful.$name")" >&2
		done
	fi
	tell "$1"
}

# Real clients upload to it: clients NAME 'THE SERVER' COMMAND…
clients() {
	local name all=(curl wget requests fetch) clients=() url=http://127.0.0.1:$port/
	row_is "$1" || return
	for name in "${all[@]}"; do
		case $name in
		requests) "$python" -c 'import requests' 2>/dev/null ;;
		fetch) command -v node >/dev/null ;;
		*) command -v "$name" >/dev/null ;;
		esac && clients+=("$name")
	done
	if [ ! -x "$3" ] || [ "${#clients[@]}" -lt "${#all[@]}" ]; then
		echo "skip victims: $1: no $3, or not all of ${all[*]}"
		[ -x "$3" ] || return
	fi
	prepare
	with_server bare ask_clients "${@:3}"
	with_server graceful ask_clients "${@:3}"
	for name in "${clients[@]}"; do
		if [ "$check" ]; then
			judge may "$name"
		else
			echo "| $2 | $name |$(figures "$name")"
		fi
	done
	tell "$1"
}

# Answers that nobody can save: the server gives up before it has written them, and
# shuts down both directions. But its connections end at once, as bare.
only_ends() { # only_ends NAME PROTOCOL COMMAND…
	local protocol=$2
	[ "$check" ] && row_is "$1" || return
	if [ ! -x "$3" ]; then
		echo "skip victims: $1: no $3"
		return
	fi
	prepare
	with_server bare ask_both "${@:3}"
	with_server graceful ask_both "${@:3}"
	tell "$1"
}

# Many ends at the same moment, the first of their namespace: see together.py
together() { # together HOW
	[ "$check" ] || [ "$inside" ] || return
	row_is "$1" || return
	prepare
	times=32
	ask bare "$1" "$python" "$here/together.py" "$1"
	ask graceful "$1" env "LD_PRELOAD=$library" HALFCLOSE_GRACEFUL=all "$python" "$here/together.py" "$1"
	judge loses "$1"
	tell "$1"
}

[ -n "$inside$check" ] ||
	echo "Whole answers of $times, bare and with halfclose, and the resets that the kernel counted (bare, with halfclose)."
[ -n "$inside$check" ] || printf '%s\n' '' \
	'| server | what it is | upload refused | with halfclose | resets | a few bytes unread | with halfclose | resets |' \
	'| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |'

gunicorn=(/usr/bin/gunicorn --chdir "$here" --bind "127.0.0.1:$port")
node=(/usr/bin/node "$here/node.js" "$port")
nginx=(/usr/sbin/nginx -p "$tmp" -c "$tmp/nginx.conf" -g 'daemon off; user root;')
# where ids are mapped, the worker can't become another user
[ "$(cat /proc/self/setgroups 2>/dev/null)" != deny ] || nginx[6]+=' master_process off;'

row java          loses loses post 'com.sun.net.httpserver|Java, threads' /usr/bin/java -XX:-UsePerfData "$here/Victim.java" "$port"
row gunicorn      loses loses post 'gunicorn, sync|Python, pre-forked' "${gunicorn[@]}" app:app
row gthread       loses loses post 'gunicorn, gthread|Python, threads' "${gunicorn[@]}" --threads 4 app:app
row http.server   loses loses get  'python3 -m http.server|Python, a thread for each' "$python" -m http.server --bind 127.0.0.1 "$port"
row forking       loses loses get  'http.server, ForkingMixIn|Python, a process for each, `_exit`' "$python" "$here/forking.py" "$port"
graceful=all,rdwr
row twisted       may   may   get  'twisted web (`all,rdwr`)|Python, one loop, `SHUT_RDWR`' /usr/bin/twistd3 -n --pidfile= web --listen "tcp:$port:interface=127.0.0.1" --path "$tmp/files"
graceful=all
row webrick       loses loses post 'WEBrick|Ruby, a thread for each' /usr/bin/ruby "$here/webrick.rb" "$port"
row node          loses loses post 'node http|JavaScript, one loop, `syscall(SYS_close)`' "${node[@]}"
row starman       may   loses post 'Starman|Perl, pre-forked' /usr/bin/starman --workers 2 --listen "127.0.0.1:$port" "$here/app.psgi"
row redis         loses loses redis 'redis|C, one loop' /usr/bin/redis-server --bind 127.0.0.1 --port "$port" --save ''
row busybox       loses loses get  'busybox httpd|C, a process for each, `_exit`' /bin/busybox httpd -f -p "127.0.0.1:$port" -h "$tmp/files"
row micro-httpd   loses loses get  'micro-httpd under inetd|C, a program for each' /usr/sbin/inetd -d -i "$tmp/inetd.conf"
[ -z "$check" ] ||
row inetd         loses loses get  'micro-httpd|under a slow inetd' "$python" "$here/inetd.py" "$port" /usr/sbin/micro-httpd "$tmp/files"
row nginx         may   loses post 'nginx, `lingering_close off`|C, one loop' "${nginx[@]}"
lingering=on
[ "$check" ] ||
row nginx-on      may   may   post 'nginx, `lingering_close on`|(its default)' "${nginx[@]}"
lingering=always
row nginx-always  may   may   post 'nginx, `lingering_close always`|(its own cure)' "${nginx[@]}"
lingering=off
only_ends socat   get /usr/bin/socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "EXEC:/usr/sbin/micro-httpd $tmp/files"
together          threads
together          processes

[ -n "$inside$check" ] || printf '%s\n' '' \
	'| server | client | upload refused | with halfclose | resets |' '| --- | --- | ---: | ---: | ---: |'
clients clients-gunicorn 'gunicorn, sync' "${gunicorn[@]}" app:app
[ "$check" ] ||
clients clients-node     'node http'      "${node[@]}"

if [ -z "$inside" ] && [ "$check" ]; then
	while ((running-- > 0)); do
		wait -n || failed=1
	done
	for name in "${started[@]}"; do
		cat "$tmp/$name.row"
	done
fi
exit $failed

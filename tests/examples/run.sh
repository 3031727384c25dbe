#!/bin/bash
# Runs every pair of programs in examples/, bare and recorded, and asserts three
# things: what the programs saw, what the kernel counted, what the report says.
#
# In a network namespace of its own, so that the kernel's counters are ours
# alone; it has no name and ends with this process.
set -u
shopt -s inherit_errexit 2>/dev/null
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-build} LC_ALL=C
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok examples: build: no directory ${BUILD:-}"; exit 1; }
pair=$here/../../examples/pair
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose

for tool in jq nstat ss ip unshare; do
	command -v "$tool" >/dev/null || { echo "skip examples: all: no $tool"; exit 0; }
done
if [ -z "${EXAMPLES_PRIVATE_NET:-}" ]; then
	own=(unshare --net)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net)
	if "${own[@]}" ip link set lo up 2>/dev/null; then
		EXAMPLES_PRIVATE_NET=1 exec "${own[@]}" bash "$0" "$@"
	fi
	echo "skip examples: all: no network namespace can be made here"
	exit 0
fi
ip link set lo up
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

recorded=1
if [ ! -e "$library" ] || [ ! -x "$halfclose" ]; then
	echo "skip examples: recorded: no $library and $halfclose"
	recorded=
fi

name='' why=''
passed=0 failed=0

fail() { why="${why:+$why; }$*"; }

# Says how the running example went.
finish() {
	[ "$name" ] || return 0
	if [ "$why" ]; then
		echo "not ok examples: $name: $why"
		sed 's/^/# /' "$tmp"/*.out
		failed=$((failed + 1))
	else
		echo "ok examples: $name"
		passed=$((passed + 1))
	fi
	name=''
}

# The kernel's: aborts on close, aborts on data, resets sent, segments sent twice.
counters() {
	nstat -asz TcpExtTCPAbortOnClose TcpExtTCPAbortOnData TcpOutRsts TcpRetransSegs | awk '{ n[$1] = $2 } END {
		print n["TcpExtTCPAbortOnClose"], n["TcpExtTCPAbortOnData"], n["TcpOutRsts"], n["TcpRetransSegs"] }'
}

# Which end of the connections to this port is in TIME-WAIT. Those of the examples
# before stay for a minute, and one of them may have had the number at its other end.
time_wait() {
	ss -tanH state time-wait | grep -vxFf "$tmp/older" |
		awk -v port=":$1\$" '$3 ~ port { print "server" } $4 ~ port { print "client" }' | sort -u | xargs
}

# Until the connections to this port have ended for the kernel too: their last
# segments may be under way when the programs have gone.
settle() {
	local tries
	for ((tries = 0; tries < 6000; tries++)); do
		ss -tanH | awk -v port=":$1\$" '$1 != "TIME-WAIT" && ($4 ~ port || $5 ~ port)' | grep -q . || return 0
		sleep 0.01
	done
	fail "connections to port $1 have not ended: $(ss -tanH | grep ":$1")"
}

# attempt MODE CLIENT SERVER [ARGUMENT…]: one run, with its results in $tmp/MODE.*
attempt() {
	local mode=$1 before after status
	local under=(timeout 100 env)
	shift
	[ "$mode" = bare ] || under+=("HALFCLOSE_LOG=$tmp/$mode.hc" "LD_PRELOAD=$library")
	ss -tanH state time-wait >"$tmp/older"
	before=$(counters)
	"${under[@]}" "$pair" "$@" >"$tmp/$mode.out" 2>&1
	status=$?
	port=$(sed -n 's/^server: listening on .* port //p' "$tmp/$mode.out")
	settle "$port"
	if [ "$twice" ]; then
		echo "again:" >>"$tmp/$mode.out"
		"${under[@]}" "$pair" "$1" "$twice" 127.0.0.1 "$port" >>"$tmp/$mode.out" 2>&1
		settle "$port"
	fi
	after=$(counters)
	[ "$status" = 0 ] || fail "$mode: status $status"
	# shellcheck disable=SC2086
	set -- $before $after
	echo "$(($5 - $1)) $(($6 - $2)) $(($7 - $3)) $(($8 - $4))" >"$tmp/$mode.kernel"
	time_wait "$port" >"$tmp/$mode.time_wait"
}

# example NAME CLIENT SERVER [ARGUMENT…]: runs the pair, bare and recorded
example() {
	finish
	name=$1 why=''
	shift
	rm -f "$tmp"/bare.* "$tmp"/recorded.*
	modes=bare
	attempt bare "$@"
	[ "$recorded" ] || return 0
	modes='bare recorded'
	attempt recorded "$@"
	for form in report log; do
		timeout 60 "$halfclose" "$form" --json "$tmp/recorded.hc" >"$tmp/$form.json" 2>"$tmp/errors" ||
			fail "$form: $(head -1 "$tmp/errors")"
	done
	# A program that is recorded says the same, but for ports and buffer sizes.
	diff <(sed 's/[0-9]\+/N/g' "$tmp/bare.out") <(sed 's/[0-9]\+/N/g' "$tmp/recorded.out") >"$tmp/errors" ||
		fail "recorded, it says: $(grep '^[<>]' "$tmp/errors" | tr '\n' ' ')"
	report '.schema == 1 and .lost_events == 0 and .damaged == 0'
	# Truth: the kernel's own count of closes with unread input.
	report ".totals.outcome[\"reset-unread\"] // 0 | . == $(cut -d' ' -f1 "$tmp/recorded.kernel")"
}

# says LINE…: each is a line of the output
says() {
	local mode line
	for mode in $modes; do
		for line; do
			grep -qxF -- "$line" "$tmp/$mode.out" || fail "$mode: does not say '$line'"
		done
	done
}

# kernel ABORTS-ON-CLOSE ABORTS-ON-DATA RESETS; - for any number
kernel() {
	local mode aborts data resets again
	for mode in $modes; do
		read -r aborts data resets again <"$tmp/$mode.kernel"
		# On a busy machine a FIN may be sent twice: the answer to the
		# second one meets no connection, and is answered by a reset.
		((again && resets > $3)) && resets=$3
		[ "$2" = - ] && data=-
		[ "$aborts $data $resets" = "$*" ] ||
			fail "$mode: the kernel counted $(<"$tmp/$mode.kernel"), not $*"
	done
}

# in_time_wait server|client|''
in_time_wait() {
	local mode
	for mode in $modes; do
		[ "$(<"$tmp/$mode.time_wait")" = "$1" ] || fail "$mode: TIME-WAIT is with '$(<"$tmp/$mode.time_wait")', not '$1'"
	done
}

# numbers MODE PATTERN: what its two groups match
numbers() { sed -n "s/$2/\1 \2/p" "$tmp/$1.out"; }

# lost all|nothing: of what was unacknowledged at the close, of which the log tells
lost() {
	local mode wrote unacknowledged got
	for mode in $modes; do
		read -r wrote unacknowledged < <(numbers "$mode" 'server: wrote \([0-9]*\) bytes, \([0-9]*\) of them.*')
		read -r got < <(numbers "$mode" 'client: got \([0-9]*\) bytes\(\).*')
		[ "${unacknowledged:-0}" -gt 65536 ] || fail "$mode: only '${unacknowledged:-}' bytes were unacknowledged"
		[ "$mode" = bare ] ||
			log "any(.event == \"close\" and .state == \"ESTABLISHED\" and .unacked == ${unacknowledged:-null})"
		[ "$1" = all ] || unacknowledged=0
		[ "$((wrote - got))" = "$unacknowledged" ] || fail "$mode: lost $((wrote - got)) of $wrote bytes, not $unacknowledged"
	done
}

report() {
	[ "$recorded" ] || return 0
	jq -e "$1" "$tmp/report.json" >/dev/null 2>&1 ||
		fail "report: not $1: $(jq -c '[.totals, [.findings[]? | [.rule, .severity, .count, .bytes]]]' "$tmp/report.json" 2>&1)"
}

# log FILTER: holds for the list of all events
log() {
	[ "$recorded" ] || return 0
	jq -es "$1" "$tmp/log.json" >/dev/null 2>&1 ||
		fail "log: not $1: $(jq -c 'select(.event == "close" and .outcome != "none")' "$tmp/log.json" 2>&1 | head -3)"
}

# verdict TEARDOWN [OUTCOME [RULE…]]: all that is not 0, as jq's objects' inside;
# of the outcomes, the abrupt ones.
verdict() {
	local teardown=$1 outcome=${2:-} rules
	shift $(($# > 1 ? 2 : 1))
	rules=$(printf '%s\n' "$@" | jq -Rnc '[inputs | select(. != "")] | sort')
	report ".totals.teardown | with_entries(select(.value > 0)) | . == {$teardown}"
	report ".totals.outcome | with_entries(select(.value > 0 and (.key | test(\"^reset|backlog|unknown\")))) | . == {$outcome}"
	report "[.findings[].rule] | unique | . == $rules"
}

seq 100000 | head -c 200000 >"$tmp/file"
twice='' # the server that runs next on the same port

# 1. Half-close: a file, and thanks for it

for address in 127.0.0.1 ::1; do
	example "file_server_half_close $address" file_client file_server_half_close "$tmp/file" "$address"
	says 'client: got 200000 bytes, then end of file' 'client: said "Thank you": acknowledged' \
		'server: sent 200000 bytes' 'server: got "Thank you", then end of file'
	kernel 0 0 0
	in_time_wait server
	verdict '"half-close": 1, "passive": 1'
	log 'any(.event == "shutdown" and .side == "wr" and .state == "ESTABLISHED" and .result == 0)'
done

example file_server_close file_client file_server_close "$tmp/file"
says 'client: got 200000 bytes, then end of file' 'client: said "Thank you": EPIPE' 'server: sent 200000 bytes'
kernel 0 - 1
in_time_wait ''
verdict '"active": 1, "reset-by-peer": 1' '' late-data
report '.findings[] | .severity == "warning" and .count == 1 and .bytes == 9'

example file_server_early_shutdown file_client file_server_early_shutdown "$tmp/file"
says 'client: got 30 bytes, then end of file' 'client: said "Thank you": acknowledged' \
	'server: write: EPIPE' 'server: sent 30 bytes' 'server: got "Thank you", then end of file'
kernel 0 0 0
verdict '"half-close": 1, "passive": 1'
log 'any(.event == "close" and .sent == 30)'

# 2. One byte more than the buffer

for address in 127.0.0.1 ::1; do
	example "welcome_server_close $address" client welcome_server_close "$address"
	says 'server: got 16 bytes' 'client: got 26 bytes, then ECONNRESET'
	kernel 1 0 1
	in_time_wait ''
	verdict '"reset-unread": 1, "reset-by-peer": 1' '"reset-unread": 1' unread-close
	report '.findings[] | select(.rule == "unread-close") | .severity == "error" and .count == 1'
	log 'map(select(.event == "close" and .outcome == "reset-unread")) |
		length == 1 and .[0].unread == 1 and .[0].how == "close" and .[0].state == "ESTABLISHED"'
	report '[.findings[].site[]? | select(.function == "main" and ((.file // "") | endswith("welcome_server_close.c")))] != []'
done

example welcome_server_half_close client welcome_server_half_close
says 'server: got 16 bytes' 'client: got 26 bytes, then end of file'
kernel 0 0 0
in_time_wait server
verdict '"half-close": 1, "passive": 1'

# 3. Both buffers full (and the first of 6.: SO_LINGER)

example full_server_read full_client full_server_read
lost nothing
in_time_wait server
kernel 0 0 0
verdict '"active": 1, "passive": 1'

example full_server_unread full_client full_server_unread
lost all
kernel 1 0 1
verdict '"reset-unread": 1, "reset-by-peer": 1' '"reset-unread": 1' unread-close
log 'map(select(.outcome == "reset-unread")) | .[0].unread == 17'

example full_server_linger full_client full_server_linger
lost all
kernel 0 1 1
verdict '"reset-linger": 1, "reset-by-peer": 1' '"reset-linger": 1' linger-close
report '.findings[] | .severity == "warning"'

# 4. A sum that needs an end

example checksum_client_half_close checksum_client_half_close checksum_server
says 'client: got "43396", then end of file' 'server: the sum is 43396: acknowledged'
kernel 0 0 0
in_time_wait client
verdict '"half-close": 1, "passive": 1'

example checksum_client_waits checksum_client_waits checksum_server
says 'client: got "", then nothing for 3 s' 'server: the sum is 43396: EPIPE'
kernel 0 - 1
in_time_wait ''
verdict '"active": 1, "reset-by-peer": 1' '' late-data
report '.findings[] | .severity == "warning" and .count == 1 and .bytes == 5'

# 5. Who closes first has TIME-WAIT

twice=restart_server_active
example restart_server_active restart_client_passive restart_server_active
says 'client: got 26 bytes, then end of file' 'restart_server_active: bind: EADDRINUSE'
kernel 0 0 0
in_time_wait server
verdict '"active": 1, "passive": 1'

twice=restart_server_reuse
example "restart_server_active, then _reuse" restart_client_passive restart_server_active
says 'restart_server_reuse: bind: EADDRINUSE'
kernel 0 0 0
in_time_wait server
verdict '"active": 1, "passive": 1'

example restart_server_reuse restart_client_passive restart_server_reuse
says 'client: got 26 bytes, then end of file'
kernel 0 0 0
in_time_wait server
verdict '"active": 2, "passive": 2'

twice=restart_server_passive
example restart_server_passive restart_client_active restart_server_passive
says 'client: got 26 bytes, closing first'
kernel 0 0 0
in_time_wait client
verdict '"active": 2, "passive": 2'
twice=

# 6. Other ways to end: a listener, exit, a parent

example backlog_server_close backlog_client backlog_server_close
says 'client 1: got 0 bytes, then ECONNRESET' 'client 2: got 0 bytes, then ECONNRESET' \
	'client 3: got 0 bytes, then ECONNRESET'
kernel 0 0 3
verdict '"reset-by-peer": 3' '"backlog": 1' backlog-close
log 'map(select(.outcome == "backlog")) | length == 1 and .[0].waiting == 3 and .[0].state == "LISTEN"'

example backlog_server_drain backlog_client backlog_server_drain
says 'client 1: got 26 bytes, then end of file' 'client 2: got 26 bytes, then end of file' \
	'client 3: got 26 bytes, then end of file'
kernel 0 0 0
verdict '"half-close": 3, "passive": 3'

example exit_server_unread client exit_server_unread
says 'client: got 26 bytes, then ECONNRESET'
kernel 1 0 1
verdict '"reset-unread": 1, "reset-by-peer": 1' '"reset-unread": 1' unread-close
log 'map(select(.outcome == "reset-unread")) | .[0].how == "return" and .[0].unread == 17'

example exit_server_read client exit_server_read
says 'client: got 26 bytes, then end of file'
kernel 0 0 0
in_time_wait server
verdict '"active": 1, "passive": 1' '' left-to-exit
report '.findings[] | .severity == "note" and .count == 1'

example exit_server_half_close client exit_server_half_close
says 'client: got 26 bytes, then end of file'
kernel 0 0 0
in_time_wait server
verdict '"half-close": 1, "passive": 1'

example fork_server_close fork_client fork_server_close
says 'client: got 26 bytes, then end of file'
kernel 0 0 0
verdict '"active": 1, "passive": 1'
log '[.[] | select(.event == "close" and .state == "ESTABLISHED") | .outcome] == ["shared", "fin"]'

example fork_server_keep fork_client fork_server_keep
says 'client: got 26 bytes, then nothing for 3 s'
kernel 0 0 0
in_time_wait client
verdict '"active": 1, "passive": 1'
log 'any(.event == "close" and .how == "return" and .state == "CLOSE-WAIT" and .outcome == "fin")'
log '[.[] | select(.event == "close" and .state == "ESTABLISHED") | .outcome] == ["shared", "fin"]'

example fork_server_shutdown fork_client fork_server_shutdown
says 'client: got 0 bytes, then end of file' 'server: child: write: EPIPE'
kernel 0 0 0
in_time_wait server
# Which of the two, child or client, closes first is open here.
report '.totals.teardown | (.["half-close"] // 0) + (.["half-close-cut"] // 0) == 1 and .passive == 1'
report 'all(.findings[]; .rule == "half-close-cut" and .severity == "note")'
log 'any(.event == "shutdown" and .state == "ESTABLISHED")'

finish
echo "# examples: $passed passed, $failed failed"
[ "$failed" = 0 ]

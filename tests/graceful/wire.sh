# shellcheck shell=bash
# What a graceful end changes is the wire; and how it shows where a peer expects
# that a connection breaks (the suite suites has such: tests/suites/differences).

# Connections that lived when they were reset. (Segments with RST are more: also what
# comes to a socket that has ended well is answered so.)
resets() {
	timeout 60 "$driver" --settle &&
		awk '/^Tcp:/ { for (i = 1; i <= NF; i++) { if ($i == "EstabResets") at = i }; value = $at } END { print value }' /proc/net/snmp
}

# wire HOW MODE END SAYS [VARIABLE…]: END is how the drain ends, or "reset": some are
wire() {
	local under=() before ends='' broken=0
	rm -f "$log"
	[ "$2" = bare ] || under=(HALFCLOSE_GRACEFUL=all "HALFCLOSE_LOG=$log" "LD_PRELOAD=$library" "${@:5}")
	before=$(resets)
	timeout 120 env "${under[@]}" "$host" wire "$1" >out 2>&1 || fail "status $?: $(tail -1 out)"
	if [ "$2" = graceful ]; then
		await_drains
		ends=$(jq -r 'select(.event == "drain").result' log.json)
		[ "$ends" = "$3" ] || fail "the drain ends by '$ends'"
	fi
	[ "${ends:-reset}" = eof ] || broken=1
	[ $(($(resets) - before > 0)) = "$broken" ] || fail "$(($(resets) - before)) connections are reset"
	grep -v '^#' out >plain
	[ "$(<plain)" = "$4" ] || fail "says $(tr '\n' ' ' <plain)"
	done_with "$1, $2${5:+ ($5)}"
}

wire late bare reset $'name: known\nsent: EPIPE'
wire late graceful eof $'name: known\nsent: all'
wire unread bare reset $'name: ENOTCONN\nsent: ECONNRESET'
wire unread graceful eof $'name: known\nsent: all'
# whoever floods for long still learns that nobody is there
wire flood graceful limit $'name: known\nsent: EPIPE' HALFCLOSE_DRAIN_BYTES=1000
wire linger0 bare reset $'name: ENOTCONN\nreceived: 3\nreceived: -1 ECONNRESET'
wire linger0 graceful eof $'name: known\nreceived: 3\nreceived: 0'

# who resets while we close leaves us no reset to claim
for i in {1..5}; do
	rm -f "$log"
	counters
	before=$on_close
	timeout 120 env HALFCLOSE_GRACEFUL=all "HALFCLOSE_LOG=$log" "LD_PRELOAD=$library" "$host" meanwhile >out 2>&1 || fail "status $?: $(tail -1 out)"
	await_drains
	counters
	claimed=$(events '.outcome == "reset-unread"')
	[ "$claimed" -le $((on_close - before)) ] || fail "$claimed resets claimed, and $((on_close - before)) happened"
done
done_with 'the peer resets meanwhile'
end_drains

# shellcheck shell=bash
# What a graceful end changes is the wire; and how it shows where a peer expects
# that a connection breaks (the suite suites has such: tests/suites/differences).

resets_sent() { timeout 60 "$driver" --settle && awk '/^Tcp:/ { for (i = 1; i <= NF; i++) { if ($i == "OutRsts") at = i }; value = $at } END { print value }' /proc/net/snmp; }

# wire HOW MODE RESETS SAYS [VARIABLE…]: RESETS is 0 or some: what is on its way
# already when there is one meets another
wire() {
	local under=() before
	rm -f "$log"
	[ "$2" = bare ] || under=(HALFCLOSE_GRACEFUL=all "HALFCLOSE_LOG=$log" "LD_PRELOAD=$library" "${@:5}")
	before=$(resets_sent)
	timeout 120 env "${under[@]}" "$host" wire "$1" >out 2>&1 || fail "status $?: $(tail -1 out)"
	[ "$2" = bare ] || await_drains
	sent=$(($(resets_sent) - before))
	case $3 in "$sent") ;; some) [ "$sent" != 0 ] ;; *) false ;; esac || fail "$sent resets"
	grep -v '^#' out >plain
	[ "$(<plain)" = "$4" ] || fail "says $(tr '\n' ' ' <plain)"
	done_with "$1, $2${5:+ ($5)}"
}

wire late bare some $'name: known\nsent: EPIPE'
wire late graceful 0 $'name: known\nsent: all'
wire unread bare some $'name: ENOTCONN\nsent: ECONNRESET'
wire unread graceful 0 $'name: known\nsent: all'
# whoever floods for long still learns that nobody is there
wire flood graceful some $'name: known\nsent: EPIPE' HALFCLOSE_DRAIN_BYTES=1000
wire linger0 bare some $'name: ENOTCONN\nreceived: 3\nreceived: -1 ECONNRESET'
wire linger0 graceful 0 $'name: known\nreceived: 3\nreceived: 0'

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

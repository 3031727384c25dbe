# shellcheck shell=bash
# HALFCLOSE_GRACEFUL=all,rdwr: after a SHUT_RDWR late input is still taken, where
# nobody would notice; else the program sees it happen as ever. The kernel counts.

# run MODE HOST ARGUMENT: says how many resets the kernel counted, in $resets
run() {
	local under=() before
	[ "$1" = bare ] || under=("HALFCLOSE_GRACEFUL=all,rdwr" "HALFCLOSE_DRAIN=${who:-helper}" HALFCLOSE_DRAIN_QUIET=100ms
		"HALFCLOSE_LOG=$log" "LD_PRELOAD=$library")
	counters
	before=$((on_close + on_data))
	timeout 120 env "${under[@]}" "$host" "${@:2}" >"$1.out" 2>&1 || fail "$1: status $?: $(tail -1 "$1.out")"
	[ "$1" = bare ] || await_drains
	counters
	resets=$((on_close + on_data - before))
}

# rdwr HOW RESETS WIRE: the program sees what it sees bare, where there is one
# reset; so many there are with graceful ends, and the peer gets WIRE
rdwr() {
	rm -f "$log"
	run bare rdwr "$1"
	[ "$resets" = 1 ] || fail "bare: $resets resets: nothing is shown"
	run graceful rdwr "$1"
	[ "$resets" = "$2" ] || fail "$resets resets"
	diff <(grep -v ^wire bare.out) <(grep -v ^wire graceful.out) >differ ||
		fail "says $(grep '^[<>]' differ | head -4 | tr '\n' ' ')"
	grep -qx "wire: $3" graceful.out || fail "$(grep ^wire graceful.out)"
	done_with "$1${who:+ (DRAIN=$who)}"
}

for how in alone left unread raw; do
	rdwr "$how" 0 taken
done
for how in exit exec; do
	rdwr "$how" 0 'end of file'
done
who="wait"
rdwr left 0 taken
who=now
rdwr left 0 taken
who=
for how in in in-another changed reader poller copied shared; do
	rdwr "$how" 1 EPIPE
done
run graceful rdwr-read
[ "$(<graceful.out)" = $'shutdown: 0 77\nread: -1 EAGAIN' ] || fail "$(tr '\n' ' ' <graceful.out)"
done_with 'a read after it comes back'
end_drains

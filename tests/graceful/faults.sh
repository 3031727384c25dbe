# shellcheck shell=bash
# A drain that fails, is attacked, or has too much to do.
n=$((${LONG:-0} ? 100000 : 5000))
# the host has both ends of each
hard=$(ulimit -Hn)
[ "$hard" = unlimited ] || [ $((n * 2 + 700)) -le "$hard" ] || n=$(((hard - 700) / 2))

# graceful COMMAND…: under the library, recorded
graceful() {
	env "HALFCLOSE_GRACEFUL=${what:-all}" "HALFCLOSE_LOG=$log" "HALFCLOSE_DRAIN_QUIET=$quiet" "HALFCLOSE_DRAIN_HELPER=$helper" \
		"HALFCLOSE_DRAIN_TIME=$time" ${bytes:+"HALFCLOSE_DRAIN_BYTES=$bytes"} "LD_PRELOAD=$library" timeout 120 "$host" "$@" 2>&1
}
# none ends by itself where a test does not want it
helper=$drain quiet=200s time=300s bytes=''

# says FILE LINE: it does, all of it but the figures
says() {
	grep -v '^#' "$1" >plain
	[ "$(<plain)" = "$2" ] || fail "says '$(tr '\n' ' ' <plain)'"
}

results() { jq -s -c '[.[] | select(.event == "drain") | .result] | group_by(.) | map("\(.[0]) \(length)") | join(", ")' log.json; }

alive() { kill -0 "$hand" 2>/dev/null || fail 'the drain is dead'; }

stop_by_hand() {
	alive
	kill "$hand" 2>/dev/null
	wait "$hand" || fail "the drain's status is $?"
}

# ---- the drain is killed, stopped, deaf

rm -f "$log"
{ while sleep 0.005; do kill -KILL $(drains) 2>/dev/null; done } &
killer=$!
graceful answers 200 >out || fail "status $?"
kill "$killer"; wait "$killer" 2>/dev/null
says out $'longest: short\nwire: 200 of 200'
done_with 'killed over and over'
end_drains

rm -f "$log"
by_hand
kill -STOP "$hand"
graceful stay 6000 </dev/null >out || fail "status $?"
kill -CONT "$hand"
says out $'longest: short\nclosed\nwire: 6000 of 6000'
grep '^# close' out
await_drains
stop_by_hand
done_with 'stopped while 6000 come'

rm -f "$log"
for i in 1 2 3; do
	: >deaf
	"$attack" deaf >deaf &
	wait_for grep -q ready deaf
	graceful answers 20 >out || fail "status $?"
	says out $'longest: short\nwire: 20 of 20'
	wait $!
	end_drains
done
done_with 'ends between connect and send'

# ---- others

for turns in 0 '0 1 2' '0 1 2 3 4 5 6 7'; do
	rm -f "$log" squat gate
	mkfifo gate
	# shellcheck disable=SC2086
	setpriv --reuid=65534 --regid=65534 --clear-groups "$attack" squat $turns <gate >squat 2>&1 &
	squatter=$!
	exec 9>gate
	wait_for grep -q ready squat || fail 'nobody sits there'
	graceful self plain >out || fail "status $?"
	grep -q '^wire: whole' out || fail "$(grep ^wire out)"
	exec 9>&-
	wait "$squatter"
	[ "$(<squat)" = $'ready\nconnections: some, with a message: 0' ] || fail "squatter: $(tail -1 squat)"
	await_drains
	by=helper
	[ "$turns" != '0 1 2 3 4 5 6 7' ] || by=now
	[ "$(events ".event == \"drain\" and .by == \"$by\"")" = 1 ] || fail "not by $by"
	done_with "another user sits on $turns"
	end_drains
done

by_hand
is_ready() { grep -q '^Seccomp:.*2$' "/proc/$hand/status"; }
wait_for is_ready || fail 'no sandbox'
files=$(ls "/proc/$hand/fd" | wc -l)
setpriv --reuid=65534 --regid=65534 --clear-groups "$attack" offer >out 2>&1
[ "$(<out)" = ECONNRESET ] || fail "$(<out)"
stop_by_hand
done_with 'another user offers a socket'

by_hand
timeout 120 "$attack" garbage >out 2>&1 || fail "status $?: $(tail -1 out)"
[ "$(grep -c '^served: end of file' out)" = 4 ] || fail "$(grep ^served out | sort | uniq -c)"
no_more_files() { [ "$(ls "/proc/$hand/fd" | wc -l)" = "$files" ]; }
wait_for no_more_files || fail 'descriptors are left'
stop_by_hand
done_with 'garbage'

# A socket that ended here and not there must not be looked at any more.
by_hand
rm -f gate kept
mkfifo gate
"$attack" keep <gate >kept 2>&1 &
keeper=$!
exec 9>gate
wait_for grep -q ready kept || fail 'it is not taken'
wait_for no_more_files || fail 'it is not ended'
used() { cut -d' ' -f1 "/proc/$hand/schedstat"; }
before_it=$(used)
sleep 0.5
[ $(($(used) - before_it)) -lt 50000000 ] || fail "$((($(used) - before_it) / 1000000)) ms of CPU time in 500"
exec 9>&-
wait "$keeper"
stop_by_hand
done_with 'another copy of a socket is kept'

# ---- limits

rm -f "$log"
quiet=1s time=4s bytes=8M
by_hand
# linger0 is the peer's own here
what=unread,late
graceful peers >out || fail "status $?"
what='' quiet=200s time=300s bytes=''
await_drains
[ "$(results)" = '"eof 1, limit 1, quiet 1, reset 1, timeout 1"' ] || fail "$(results)"
stop_by_hand
done_with 'silent, dripping, flooding, ending and resetting peers'

# held COUNT [DRAIN…]: a drain started so by hand has so many sockets, in $host_pid
held() {
	local count=$1
	rm -f "$log" gate stayed
	mkfifo gate
	graceful stay "$count" <gate >stayed 8>&- &
	host_pid=$!
	exec 9>gate
	is_closed() { [ -e stayed ] && grep -q closed stayed; }
	wait_for is_closed || wait_for is_closed || fail 'the host does not come to an end'
}
let_end() {
	exec 9>&-
	wait "$host_pid" || fail "the host's status is $?"
}

# the_oldest N: so many ended by a limit, and all of them came before all others
the_oldest() {
	[ "$(results)" = "\"eof $((1000 - $1)), limit $1\"" ] || fail "$(results)"
	jq -es '([.[] | select(.event == "drain" and .result == "limit") | .cookie // .sock] | max) <
		([.[] | select(.event == "drain" and .result == "eof") | .cookie // .sock] | min)' log.json >/dev/null ||
		fail 'not the oldest went first'
}

# Before their peers end, too, all have been taken.
until_limited() {
	local is=$1
	is_limited() {
		timeout 60 "$halfclose" log --json "$log" >log.json 2>errors &&
			[ "$(events '.event == "drain" and .result == "limit"')" = "$is" ]
	}
	wait_for is_limited || fail "$(events '.event == "drain" and .result == "limit"') ended by a limit, not $is"
}

# crowded SOCKETS [OPTION…]: held by as many drains as it takes, 384 each
crowded() {
	before=(prlimit --nofile=700 "${before[@]}")
	by_hand "${@:2}"
	before=()
	held "$1"
}
workers() { pgrep -P "$hand"; }
no_worker() { ! workers >/dev/null; }
two_workers() { [ "$(workers | wc -l)" = 2 ]; }
all_end() {
	let_end
	says stayed $'longest: short\nclosed\nwire: 1000 of 1000'
}

# no child; no call to part with it; or that call fails then
for rule in 'EAGAIN clone' 'ENOSYS close_range' 'ENOMEM close_range:0=5'; do
	before=("$refusing" "$rule")
	crowded 1000
	wait_for no_worker || fail 'there are workers'
	until_limited 600
	all_end
	await_drains
	the_oldest 600
	stop_by_hand
	done_with "more sockets than it may have, and no worker to be had: $rule"
done

crowded 1000
wait_for two_workers || fail "$(workers | wc -l) workers"
for pid in $hand $(workers); do
	# its recording, the listener, and what else is not a socket of a program's
	[ "$(ls "/proc/$pid/fd" | wc -l)" -le $((384 + 8)) ] || fail "$pid has $(ls "/proc/$pid/fd" | wc -l) descriptors"
done
grep -q '^Seccomp:.*2$' "/proc/$(workers | head -1)/status" || fail 'a worker has no sandbox'
all_end
await_drains
[ "$(results)" = '"eof 1000"' ] || fail "$(results)"
wait_for no_worker || fail 'workers are left'
stop_by_hand
done_with 'three processes for 1000 sockets'

for most in 300 700; do
	crowded 1000 --sockets=$most
	until_limited $((1000 - most))
	all_end
	await_drains
	the_oldest $((1000 - most))
	wait_for no_worker || fail 'workers are left'
	stop_by_hand
	done_with "1000 sockets, $most at once"
done

crowded 1000
wait_for two_workers || fail "$(workers | wc -l) workers"
oldest=$(workers | head -1)
kill -KILL "$oldest"
is_reaped() { [ ! -e "/proc/$oldest" ]; }
wait_for is_reaped || fail 'a zombie'
all_end
is_written() { timeout 60 "$halfclose" log --json "$log" >log.json 2>errors && [ "$(events '.event == "drain"')" = 616 ]; }
wait_for is_written || fail "$(events '.event == "drain"') ends"
[ "$(results)" = '"eof 616"' ] || fail "$(results)"
stop_by_hand
done_with 'a worker is killed'

crowded 1000
wait_for two_workers || fail "$(workers | wc -l) workers"
kill -KILL "$hand"
wait "$hand" 2>/dev/null
all_end
is_written() { timeout 60 "$halfclose" log --json "$log" >log.json 2>errors && [ "$(events '.event == "drain"')" = 768 ]; }
wait_for is_written || fail "$(events '.event == "drain"') ends"
[ "$(results)" = '"eof 768"' ] || fail "$(results)"
wait_for no_drain || fail 'workers are left'
done_with 'all but the workers is killed'

# stops: told to stop, it ends after 2 s, or 3 where its workers don't; not after what
# its sockets have, however few processors there are
stops() {
	local from=${EPOCHREALTIME/./}
	kill -TERM "$hand"
	wait "$hand" || fail "the drain's status is $?"
	[ $((${EPOCHREALTIME/./} - from)) -lt 20000000 ] || fail "it took $((${EPOCHREALTIME/./} - from)) us"
}

crowded 1000
wait_for two_workers || fail "$(workers | wc -l) workers"
stops
wait_for no_drain || fail 'workers are left'
await_drains
[ "$(results)" = '"timeout 1000"' ] || fail "$(results)"
all_end
done_with 'told to stop with 1000 in three processes'

crowded 1000
wait_for two_workers || fail "$(workers | wc -l) workers"
oldest=$(workers | head -1)
kill -STOP "$oldest"
stops
one_is_left() { [ "$(drains)" = "$oldest" ]; }
wait_for one_is_left || fail "left: $(drains)"
kill -CONT "$oldest"
wait_for no_drain || fail 'the stopped one does not end'
await_drains
[ "$(results)" = '"timeout 1000"' ] || fail "$(results)"
all_end
done_with 'told to stop while a worker is stopped'

rm -f holding held
mkfifo holding
before=(prlimit --nofile=700)
by_hand
before=()
"$attack" hold <holding >held 2>&1 &
holder=$!
exec 8>holding
wait_for grep -q ready held || fail 'nothing is held'
# what is held is so for 10 s alone: no more than it takes for a worker
held 400
exec 8>&-
wait "$holder"
[ "$(<held)" = $'ready\nheld: end of file' ] || fail "$(tail -1 held)"
let_end
says stayed $'longest: short\nclosed\nwire: 400 of 400'
await_drains
stop_by_hand
done_with 'a worker is told that an exec has happened'

prlimit --nofile=40 "$drain" &
hand=$!
wait_for has_name || fail 'no drain listens'
quiet=300ms
for i in {1..30}; do
	log=$tmp/many.$i graceful returns >out || fail "status $?"
done
for i in {1..30}; do
	log=$tmp/many.$i
	await_drains
done
log=$tmp/hc
stop_by_hand
rm -f many.*
done_with '40 descriptors, 30 recordings'

quiet=200s
by_hand
held 50
stops
await_drains
[ "$(results)" = '"timeout 50"' ] || fail "$(results)"
let_end
done_with 'told to stop with 50'

for i in {1..20}; do
	by_hand
	kill -TERM "$hand"
	wait_for no_drain || { fail 'it does not end'; kill -KILL "$hand"; }
	wait "$hand"
done
done_with 'told to stop with none, 20 times'

# a drain that goes as soon as it can
printf '#!/bin/sh\nexec %s --idle=0.001\n' "$drain" >hasty
chmod 755 hasty
rm -f "$log"
helper=$tmp/hasty
graceful rarely 300 >out || fail "status $?"
says out 'wire: 300 of 300'
await_drains
# where it takes too long to go, or is gone too soon, nobody waits for it
[ "$(events '.event == "drain" and .by == "helper"')" != 0 ] || fail 'none by the helper'
helper=$drain
end_drains
done_with 'ends when idle, 300 hand-overs'

# ---- recordings that fail under it

for fate in vanished truncated full; do
	by_hand
	if [ "$fate" = full ]; then
		mkdir -p small
		mount -t tmpfs -o size=300k none small
		log=$tmp/small/hc
	fi
	held 300
	case $fate in
	vanished) rm -f "$log" ;;
	truncated)
		# a host that maps it dies of it, as documented; the drain does not
		: >"$log"
		kill -KILL "$(sed -n 's/^# pid //p' stayed)"
		;;
	full) dd if=/dev/zero of=small/rest bs=4k 2>/dev/null ;;
	esac
	exec 9>&-
	wait "$host_pid" 2>/dev/null
	[ "$fate" = truncated ] || says stayed $'longest: short\nclosed\nwire: 300 of 300'
	timeout 120 "$attack" garbage >out 2>&1 || fail "status $?: $(tail -1 out)"
	[ "$(grep -c '^served: end of file' out)" = 4 ] || fail 'it does not serve'
	stop_by_hand
	[ "$fate" != full ] || umount small
	log=$tmp/hc
	done_with "a recording that is $fate"
done

# ---- many

by_hand
held "$n"
rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$hand/status")
echo "# $n sockets at once: $rss KiB resident"
grep '^#' stayed
let_end
[ "$rss" -lt 65536 ] || fail "$rss KiB"
says stayed "longest: short
closed
wire: $n of $n"
await_drains
[ "$(results)" = "\"eof $n\"" ] || fail "$(results)"
stop_by_hand
done_with "$n sockets at once"

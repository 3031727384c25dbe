# shellcheck shell=bash
# A hand-over that goes wrong at each step: the host's closes return what they
# would have, at once, and what a bare close delivers is delivered.

# who waited for it would take too long
quiet=20s helper=$drain under=()

# hands N: the host ends 2 N connections, half of which a bare close delivers
hands() {
	rm -f "$log"
	timeout 120 env "LD_PRELOAD=$library" "HALFCLOSE_LOG=$log" HALFCLOSE_GRACEFUL=all "HALFCLOSE_DRAIN_QUIET=$quiet" \
		"HALFCLOSE_DRAIN_HELPER=$helper" "${under[@]}" "$host" hands "$1" >out 2>err || fail "status $?: $(head -1 err)"
	grep -v '^wire' out >plain
	[ "$(<plain)" = "closes: $((2 * $1)) well of $((2 * $1))
kept: $1 of $1
descriptors: 0
children: ECHILD
SIGCHLD: 0
longest: short" ] || fail "says '$(tr '\n' ' ' <plain)'"
	[ ! -s err ] || fail "on standard error: $(head -1 err)"
}

# program NAME LINE…: a drain of our own making
program() {
	printf '%s\n' '#!/bin/sh' "${@:2}" >"$1"
	chmod 755 "$1"
	helper=$tmp/$1
}

saved() { sed -n 's/^wire: //p' out; }

hands 5
[ "$(saved)" = 5 ] || fail "$(saved) of 5"
done_with 'as it should be'
end_drains

# killed by the kernel when it makes this call: in the order in which they come
steps=(
	'before it has read its options|getsockopt:2=30'
	'before it waits|epoll_create1'
	'before its sandbox|prctl'
	'waiting|epoll_pwait'
	'before accept|accept4'
	'after accept|getsockopt:2=17'
	'before receipt|recvmsg'
	'after receipt|getsockopt:2=38'
	'before it opens the recording|openat:2&0x800=0x800'
	'before it looks at the connection|getsockopt:1=6'
	'before it waits for the connection|epoll_ctl:2=7'
	'after it took it|close:0=6'
	'before it reads|recvfrom'
	'before it writes the end down|pwrite64'
	'after the end|close:0=7'
)
steps_done=0
for step in "${steps[@]}"; do
	# of this step alone: those that are ended below say so, too, a moment later
	died=died.$((++steps_done))
	program "killed.$steps_done" "\"$refusing\" 'KILL ${step#*|}' \"$drain\" --idle=1" "echo \$? >>\"$tmp/$died\""
	hands 3
	has_died() { [ -s "$died" ]; }
	wait_for has_died || fail 'no drain has died'
	[ "$(sort -u "$died")" = 159 ] || fail "it ends with $(sort -u "$died" | xargs)"
	done_with "killed ${step%|*}"
	end_drains
done

# told to go, or stopped, at the worst of times
program goes "\"$drain\" --idle=0.001"
hands 30
done_with 'ends when idle'
end_drains
program slow 'sleep 0.3' "exec \"$drain\""
hands 5
await_drains
[ "$(saved)" = 5 ] || fail "$(saved) of 5"
done_with 'takes its time to start'
end_drains
program sleeps 'exec sleep 2'
hands 5
done_with 'never takes what it was handed'
wait_for no_name || fail 'it still listens'
program leaves 'exit 0'
hands 5
done_with 'ends at once'
wait_for no_name || fail 'it still listens'

# forks, threads and drains that die, all at once
timeout 120 "$host" crowd forks 2>&1 | grep -v '^wire' >bare.out
rm -f "$log"
{ while sleep 0.003; do kill -KILL $(drains) 2>/dev/null; done } &
killer=$!
timeout 120 env "LD_PRELOAD=$library" "HALFCLOSE_LOG=$log" HALFCLOSE_GRACEFUL=all "HALFCLOSE_DRAIN_HELPER=$drain" \
	"$host" crowd forks >out 2>err || fail "status $?: $(head -1 err)"
kill "$killer"
wait "$killer" 2>/dev/null
diff bare.out <(grep -v '^wire' out) >differ || fail "says $(grep '^[<>]' differ | head -4 | tr '\n' ' ')"
[ ! -s err ] || fail "on standard error: $(head -1 err)"
done_with 'forks while drains are killed over and over'
end_drains

# no program, or none for this host
mkdir -p closed
cp "$drain" closed/drain
chmod 644 closed/drain
for helper in "$tmp/closed/drain" "$tmp/nothing" "$tmp"; do
	hands 5
	await_drains
	[ "$(events '.event == "drain" and .by == "now"')" = 10 ] || fail 'not all by now'
	done_with "cannot be run: ${helper##*/}"
done
helper=$drain

# of the calls that the host makes itself, those for unix sockets and the like
for rule in 'EPERM execve' 'ENOSYS execve' 'EPERM clone' 'EAGAIN clone' 'EPERM close_range' 'EMFILE socket:0=1' \
	'ENFILE socket:0=1' 'ENOMEM socket:0=1' 'EPERM connect:2&8=8' 'EPERM bind:2&8=8' 'EPERM listen:1=4096' \
	'EPERM sendmsg' 'ENOMEM sendmsg' 'EPERM wait4:2=0x40000000' 'EPERM setsockopt:2=21' 'EPERM setsid' \
	'ENOMEM mmap:3&0x20000=0x20000'; do
	under=("$refusing" "$rule")
	hands 3
	await_drains
	by=now
	case $rule in
	*wait4* | *setsockopt* | *setsid*) by=helper ;;
	esac
	[ "$(events ".event == \"drain\" and .by == \"$by\"")" = 6 ] || fail "not all by $by"
	done_with "a filter: $rule"
	end_drains
done
under=()

# others who listen, of this user
for how in silent garbage short late other; do
	rm -f gate imposter
	mkfifo gate
	"$attack" imposter "$how" <gate >imposter 2>&1 &
	imposter=$!
	exec 9>gate
	wait_for grep -q ready imposter || fail 'nobody listens'
	hands 5
	exec 9>&-
	wait "$imposter"
	if [ "$how" = other ]; then
		await_drains
		[ "$(sed 1d imposter), $(events '.event == "drain" and .by == "helper"')" = 'came: 0, 10' ] ||
			fail "$(sed 1d imposter), $(events '.event == "drain" and .by == "helper"') by the helper"
	else
		[ "$(sed 's/came: //;1d' imposter)" -gt 0 ] || fail 'nobody came'
	fi
	done_with "who listens is no drain: $how"
	end_drains
done

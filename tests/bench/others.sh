#!/bin/bash
# What it costs to watch how connections end, by halfclose and by other tools: the
# CPU time of a connection, the tool's own with it (but for bpftrace's, which prints
# elsewhere). As root, in a network namespace of its own.
#
#   tests/bench/others.sh [ROUNDS [CONNECTIONS]]
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
rounds=${1:-5} connections=${2:-3000}

if [ -z "${BENCH_INSIDE:-}" ]; then
	BENCH_INSIDE=1 exec unshare --net --mount "$0" "$rounds" "$connections"
fi
ip link set lo up
echo 64 >/proc/sys/net/ipv4/tcp_max_tw_buckets
mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
work=$(mktemp -d)
bpftrace=
end() {
	[ -z "$bpftrace" ] || kill "$bpftrace"
	rm -rf "$work"
}
trap end EXIT

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { # row NAME COMMAND…: the time of all that COMMAND is made of
	local name=$1 round
	shift
	for ((round = 0; round < rounds; round++)); do
		TIMEFORMAT='%3U %3S'
		{ time "$@" "$BUILD/tests/bench/connections" "$connections" 64 >/dev/null 2>&1; } 2>&1 |
			awk -v n="$connections" '{ printf "%.3f\n", ($1 + $2) * 1e6 / n }'
		rm -f "$work/log"
	done | median >"$work/is"
	[ -e "$work/bare" ] || cp "$work/is" "$work/bare"
	awk -v name="$name" -v bare="$(cat "$work/bare")" '{ printf "  %-34s %8.1f us   ratio %.2f\n", name, $1, $1 / bare }' "$work/is"
}

echo "A connection of 64 bytes each way, both ends in one process (CPU time, the tool's too)"
row bare env
row "halfclose, recording" env LD_PRELOAD="$BUILD/libhalfclose.so" HALFCLOSE_LOG="$work/log"
row "halfclose, all stacks" env LD_PRELOAD="$BUILD/libhalfclose.so" HALFCLOSE_LOG="$work/log" HALFCLOSE_STACK=all
if command -v strace >/dev/null; then
	row "strace of close and shutdown" strace -f --seccomp-bpf -e trace=close,shutdown -o "$work/log"
	row "the same, names and stacks (-yy -k)" strace -f --seccomp-bpf -yy -k -e trace=close,shutdown -o "$work/log"
fi
if command -v bpftrace >/dev/null; then
	bpftrace -e 'tracepoint:tcp:tcp_send_reset { printf("%s[%d] reason %d%s\n", comm, pid, args->reason, ustack); }' \
		>"$work/bpftrace" 2>&1 &
	bpftrace=$!
	for ((turn = 0; turn < 100; turn++)); do
		grep -q Attaching "$work/bpftrace" && break
		sleep 0.1
	done
	row "bpftrace of tcp:tcp_send_reset" env
fi

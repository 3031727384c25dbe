# One part of the suite, in namespaces of its own: what all parts use.
#   bash part.sh PART
set -u
here=$(cd "$(dirname "$0")" && pwd)
part=$1 tmp=$GRACEFUL_TMP
cd "$tmp" || exit 2
ip link set lo up || exit 2
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose drain=$BUILD/halfclose-drain
# shellcheck disable=SC2034
driver=$BUILD/tests/truth/driver host=$BUILD/tests/graceful/host attack=$BUILD/tests/graceful/attack
# shellcheck disable=SC2034
refusing=$BUILD/tests/graceful/refusing
log=$tmp/hc why='' bad=0

fail() { why="${why:+$why; }$*"; }

# done_with NAME: says how it went
done_with() {
	if [ "$why" ]; then
		echo "not ok graceful: $part: $1: $why"
		bad=1
	else
		echo "ok graceful: $part: $1"
	fi
	why=''
}

# Sets on_close and on_data to the kernel's counters, once nothing is under way.
counters() {
	local names values i
	timeout 60 "$driver" --settle || fail 'the network does not settle'
	while read -ra names && read -ra values; do
		[ "${names[0]}" = TcpExt: ] || continue
		for i in "${!names[@]}"; do
			case ${names[i]} in
			TCPAbortOnClose) on_close=${values[i]} ;;
			TCPAbortOnData) on_data=${values[i]} ;;
			esac
		done
	done </proc/net/netstat
}

# wait_for COMMAND…: until it succeeds; a minute, so that no load is taken for a hang
wait_for() {
	local end=$((SECONDS + 60))
	while [ $SECONDS -lt $end ]; do
		! "$@" || return 0
		sleep 0.02
	done
	return 1
}

all_drained() {
	timeout 60 "$halfclose" log --json "$log" >log.json 2>errors || return 1
	# an exec that failed ended nothing
	jq -es 'any(.event == "exec_failed") as $failed |
		([.[] | select(.event == "close" and .outcome == "drain" and (.how != "exec" or ($failed | not)))] | length) ==
		([.[] | select(.event == "drain")] | length)' log.json >/dev/null
}

# log.json, once every drain in it has ended
await_drains() {
	wait_for all_drained || fail "drains without an end: $(head -1 errors) $(jq -cs '[.[] | select(.event == "drain" or .outcome == "drain") | .event] | group_by(.) | map([.[0], length])' log.json)"
}

# how many of log.json's events are such
events() { jq -s "[.[] | select($1)] | length" log.json; }

# The drains that run, by their program.
drains() {
	local exe
	for exe in /proc/[0-9]*/exe; do
		[ "$exe" -ef "$drain" ] && exe=${exe#/proc/} && echo "${exe%/exe}"
	done
}

no_name() { ! grep -q '@halfclose-drain-' /proc/net/unix; }
no_drain() { [ -z "$(drains)" ]; }

# One that is just being started listens already, and is its program a moment later.
are_ended() {
	local pid
	for pid in $(drains); do kill -KILL "$pid" 2>/dev/null; done
	no_drain && no_name
}

# Ends them; each part begins and ends without one.
end_drains() { wait_for are_ended || fail 'a drain does not end'; }

has_name() { ! no_name; }

# by_hand [OPTION…]: a drain started by hand, under what $before is; its process
# in $hand
before=()
by_hand() {
	"${before[@]}" "$drain" "$@" &
	hand=$!
	wait_for has_name || fail 'no drain listens'
}

case $part in
truth-*) . "$here/truth.sh" ;;
*) . "$here/$part.sh" ;;
esac
exit "$bad"

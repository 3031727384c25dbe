#!/bin/bash
# A server is cured under what service managers and containers put it under: what
# packaging/systemd and packaging/container say of it is so.
set -u
cd "$(dirname "$0")/../.." || exit 1
tests=$PWD/tests/packaging
BUILD=$(readlink -f "${BUILD:-build}")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
umask 022
nobody=65534

if [ -z "${CONFINED:-}" ]; then
	# a network of its own: no drain but those that are started here
	CONFINED=1 unshare --net -- "$0" "$@" && exit
	echo "skip packaging: confined: no network namespace of its own can be made"
	exit
fi
ip link set lo up || exit 1
mkdir "$place/log" && chmod 1777 "$place/log" && chmod 755 "$place"
cp "$BUILD/libhalfclose.so" "$BUILD/halfclose-drain" "$tests/both.py" "$place" # where every user finds it
sed "s,libhalfclose.so,$place/libhalfclose.so," packaging/container/cured >"$place/cured"
chmod 755 "$place/cured"
export PATH=$place:$PATH

# under NAME RESULT BY [COMMAND...]: the program, cured and started by COMMAND, prints
# RESULT; BY read on (helper, now), as the recording has it: "-" where it does not say,
# "none" where there is no recording, "any" where that is not the question
under() {
	local name=$1 result=$2 by=$3 is said=none log=$place/log/$((++logs)).hc
	shift 3
	# a drain ends with its peer, however long that takes
	is=$(timeout 100 "$@" env HALFCLOSE_LOG="$log" ${lib+LD_PRELOAD="$lib"} HALFCLOSE_GRACEFUL="$graceful" \
		HALFCLOSE_DRAIN_QUIET=20s "${start[@]}" /usr/bin/python3 "$place/both.py" "${arguments[@]}" 2>"$place/problem")
	for ((turn = 0; turn < 600; turn++)); do # the drain writes when it ends
		[ ! -e "$log" ] || said=$("$BUILD/halfclose" log --json "$log" 2>/dev/null | jq -r 'select(.event == "drain") | .by' | sort -u)
		said=${said:--}
		case $by in "$said" | - | any) break ;; esac
		sleep 0.05
	done
	if [ "$is" = "$result" ] && { [ "$by" = any ] || [ "$said" = "$by" ]; }; then
		echo "ok packaging: $name"
	else
		echo "not ok packaging: $name: ${is:-nothing}, by $said; not $result, by $by"
		head -n 5 "$place/problem" | sed 's/^/    /'
	fi
}
lib=$place/libhalfclose.so logs=0 graceful=all arguments=() start=()
# one more network, without a drain, and with one that was there before
fresh=(unshare --net sh -c 'ip link set lo up; exec "$@"' -)
drained=(unshare --net sh -c 'ip link set lo up; halfclose-drain --daemon --idle=20; exec "$@"' -)
drop=(setpriv --reuid="$nobody" --regid="$nobody" --clear-groups)

graceful=off under "an abrupt close loses the end without the cure" reset -
under "cured, as root" whole helper
under "User=: another user from the start" whole helper "${drop[@]}"
arguments=("$nobody")
under "a server that drops root: the new user's drain, whose ends root's recording lacks" whole -
arguments=()
under "AmbientCapabilities=" whole helper "${drop[@]}" --inh-caps=+net_bind_service --ambient-caps=+net_bind_service
under "NoNewPrivileges=" whole helper setpriv --no-new-privs
under "an empty CapabilityBoundingSet=" whole helper setpriv --bounding-set=-all --inh-caps=-all
under "LimitAS=" whole any prlimit --as=200000000
under "LimitFSIZE=: no recording, and the cure" whole - prlimit --fsize=0
under "LimitNOFILE=" whole helper prlimit --nofile=32
under "MemoryDenyWriteExecute=" whole helper /usr/bin/python3 -c '
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0: sys.exit("no PR_SET_MDWE")
os.execvp(sys.argv[1], sys.argv[1:])'

# ---- systemd's filters ----

calls_of() { # calls_of SET: the names, sets inside it followed
	systemd-analyze syscall-filter "$1" | sed -n 's/^    \([^ #]\)/\1/p' | while read -r name; do
		case $name in
		@*) calls_of "$name" ;;
		*) echo "$name" ;;
		esac
	done
}
if command -v systemd-analyze >/dev/null && command -v gcc >/dev/null; then
	echo '#include <sys/syscall.h>' | gcc -E -dM -x c - | sed -n 's/^#define SYS_\([a-z0-9_]*\) .*/{ "\1", SYS_\1 },/p' >"$place/calls.inc"
	gcc -O1 -I"$place" -o "$place/filter" "$tests/filter.c"
	{ calls_of @default; calls_of @system-service; } | sort -u >"$place/service"
	grep -vx 'clone\|clone3' "$place/service" >"$place/no-clone"
	under "SystemCallFilter=@system-service, which kills" whole helper "${fresh[@]}" filter "$place/service"
	under "RestrictAddressFamilies= without AF_UNIX: only what has arrived is read" reset now \
		"${drained[@]}" filter -u "$place/service"
	under "a filter that refuses new processes: only what has arrived is read" reset now \
		"${fresh[@]}" filter -e "$place/no-clone"
	under "the same, and a drain that is there" whole helper "${drained[@]}" filter -e "$place/no-clone"
	restricted=(unshare --net sh -c 'ip link set lo up; filter -e service setpriv --no-new-privs --bounding-set=-all \
		halfclose-drain --daemon --idle=20; exec "$@"' -)
	under "a drain restricted as its unit has it" whole helper env -C "$place" "${restricted[@]}" filter -e no-clone
else
	echo "skip packaging: SystemCallFilter=: no systemd-analyze, or no gcc"
fi

# ---- other roots, other namespaces ----

if ! command -v bwrap >/dev/null || ! bwrap --ro-bind / / true 2>/dev/null; then
	echo "skip packaging: roots and namespaces: bwrap is not there or can't"
	exit 0
fi
root=(--ro-bind / / --dev /dev --proc /proc)
volume=("${root[@]}" --bind "$place/log" "$place/log")
under "a read-only root, the recording on a volume" whole helper bwrap "${volume[@]}"
under "a read-only root, and no place for the recording" whole none bwrap "${root[@]}"
under "PrivateTmp=: a drain outside does not find the recording" whole none "${drained[@]}" bwrap "${root[@]}" --tmpfs "$place/log"
under "a user namespace, root inside" whole helper "${fresh[@]}" bwrap "${volume[@]}" --unshare-user --uid 0 --gid 0
under "a user namespace, another user inside" whole helper "${fresh[@]}" bwrap "${volume[@]}" --unshare-user --uid 1000 --gid 1000
under "a user namespace, and a drain outside" whole helper "${drained[@]}" bwrap "${volume[@]}" --unshare-user --uid 1000 --gid 1000
under "PID 1 starts no drain: only what has arrived is read" reset now "${fresh[@]}" bwrap "${volume[@]}" --unshare-pid --as-pid-1
under "below an init that adopts orphans, the library starts a drain" whole helper "${fresh[@]}" bwrap "${volume[@]}" --unshare-pid
unset lib
start=("$place/cured")
under "packaging/container/cured: PID 1 with a drain, as long as it lives" whole any "${fresh[@]}" bwrap "${volume[@]}" --unshare-pid --as-pid-1
under "the same as another user, without capabilities" whole any "${fresh[@]}" "${drop[@]}" --bounding-set=-all --no-new-privs \
	bwrap "${volume[@]}" --unshare-user --uid 33 --gid 33 --unshare-pid --as-pid-1

#!/bin/bash
# Graceful ends: held to the kernel's counters, to bare runs, and to a drain that
# fails or is attacked.
#
#   run.sh [PART…]     truth-helper truth-wait truth-now same wire rdwr survive faults
#                      handover; all
#   LONG=1: 100,000 sockets at once instead of 5,000, or as many as there may be
#
# Each part runs in a network and a PID namespace of its own: the kernel's
# counters and the drain's name are its alone, and no drain outlives it.
set -u
shopt -s inherit_errexit 2>/dev/null
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-build} LC_ALL=C
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok graceful: build: no directory ${BUILD:-}"; exit 1; }

for tool in jq ip unshare setpriv; do
	command -v "$tool" >/dev/null || { echo "skip graceful: all: no $tool"; exit 0; }
done
for file in libhalfclose.so halfclose halfclose-drain tests/truth/driver tests/graceful/host tests/graceful/attack tests/graceful/refusing; do
	[ -e "$BUILD/$file" ] || { echo "not ok graceful: build: no $BUILD/$file"; exit 1; }
done
own=(unshare --net --mount --pid --fork --kill-child --mount-proc)
if ! "${own[@]}" true 2>/dev/null; then
	own=(unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc)
	"${own[@]}" true 2>/dev/null || { echo "skip graceful: all: no namespaces can be made here"; exit 0; }
fi
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
umask 022 # another user's processes look for programs in what follows
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$tmp"

[ $# != 0 ] || set -- same faults truth-helper wire rdwr handover survive truth-wait truth-now
pending=()
for part; do
	mkdir "$tmp/$part"
	GRACEFUL_TMP=$tmp/$part timeout -k 5 600 "${own[@]}" bash "$here/part.sh" "$part" >"$tmp/$part.said" 2>&1 &
	pending+=("$part:$!")
	# two at a time: they wait as often as they work
	[ ${#pending[@]} -lt 2 ] || wait -n
done
failed=0
for part in "${pending[@]}"; do
	wait "${part#*:}"
	status=$?
	cat "$tmp/${part%%:*}.said"
	[ "$status" = 0 ] || failed=1
	[ "$status" -lt 2 ] || echo "not ok graceful: ${part%%:*}: ended with status $status"
done
exit "$failed"

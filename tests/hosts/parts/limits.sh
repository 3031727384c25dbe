# Part of run.sh: hosts that have little, and recordings that are in trouble.
# shellcheck shell=bash disable=SC2034,SC2154

six=inet6
if ! grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
	six=
	! wanted 'standard error is inet6' || skip 'standard error is inet6' 'no IPv6 here'
fi
for kind in $six unix closed; do
	host "standard error becomes $kind" fds stderr "$kind" && { true_to_kernel; finish; }
done
for kind in $six closed; do
	host "standard error is $kind" fds start "$kind" && { true_to_kernel; finish; }
done
host 'little stack, no processes' fds stack && { true_to_kernel; finish; }
host 'address space limited later' fds later && { true_to_kernel; finish; }

if [ "$(id -u)" = 0 ] && awk '$3 > 65534 { found = 1 } END { exit !found }' /proc/self/uid_map; then
	host 'all memory locked without the right to' fds locked-nobody && { true_to_kernel; finish; }
	mkdir -p whole
	if mount --rbind / whole 2>/dev/null; then
		# it starts itself again without us: what that ends is not recorded
		host 'daemon that does all of it' fds whole "$tmp/whole" && {
			report '.lost_events == 0 and .damaged == 0'
			report '.totals.outcome["reset-unread"] == 6'
			[ "$(<recorded.aborts)" = 12 ] || fail "the kernel counts $(<recorded.aborts)"
			grep -q '^environment: none' bare.out || fail 'it did not start itself again'
			finish
		}
		umount -l whole
	else
		skip 'daemon that does all of it' 'nothing can be mounted here'
	fi
else
	skip 'all memory locked without the right to' 'not root'
	skip 'daemon that does all of it' 'not root'
fi

if wanted 'disk read-only'; then
	name='disk read-only' why='' log=$tmp/disk/hc
	mkdir -p disk
	if mount -t tmpfs -o ro none disk 2>/dev/null; then
		compare 1 "$programs/fds" talk
		grep -q '^halfclose: fds\[[0-9]*\]: no recording: ' recorded.err || fail "does not say that there is none"
		finish
		umount disk
	else
		skip "$name" 'no tmpfs can be mounted here'
	fi
fi

# What the recording's own path becomes is none of the host's affair; who joins
# later begins another.
if wanted 'recording deleted under way'; then
	name='recording deleted under way' why='' log=$tmp/deleted
	# shellcheck disable=SC2016
	compare 0 sh -c '"$1" talk; rm -f "$2"; "$1" talk; mkdir "$2.d" 2>/dev/null; mv "$2" "$2.d/" 2>/dev/null
		"$1" talk; : >"$2.d/gone"; rm -rf "$2.d"; "$1" talk' sh "$programs/fds" "$log"
	readable
	report '.damaged == 0'
	finish
fi

# All write into one, at once.
if wanted 'recording shared by 200'; then
	name='recording shared by 200' why='' log=$tmp/hc
	# shellcheck disable=SC2016
	compare 0 sh -c 'for i in $(seq 200); do { "$1" talk >/dev/null || echo "$? by $i"; } & done; wait' sh "$programs/fds"
	readable
	true_to_kernel
	report '.totals.outcome["reset-unread"] == 1000 and .processes >= 200'
	finish
fi

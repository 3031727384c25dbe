#!/bin/bash
# Runs programs that are hard to live in, three times each: bare, preloaded with
# warnings, and recorded with all stacks. What they say and how they end must be
# the same; where it makes sense, the recording must agree with the kernel.
#
#   run.sh [PATTERN]      only the hosts whose names match
#
# The hosts of one kind are in a file each: parts/*.sh.
#
# In a network namespace of its own, so that the kernel's counters are ours alone,
# and with mounts of its own, for disks that are full. Both end with this process.
set -u
shopt -s inherit_errexit 2>/dev/null
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-build} LC_ALL=C
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok hosts: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose programs=$BUILD/tests/hosts
preload=$library${HOSTS_FAULT:+:$HOSTS_FAULT} # and one that does harm: tests/suites/faults.sh
only=${1:-}

for tool in jq ip unshare prlimit flock nm readelf; do
	command -v "$tool" >/dev/null || { echo "skip hosts: all: no $tool"; exit 0; }
done
for file in "$library" "$halfclose" "$programs/calls"; do
	[ -e "$file" ] || { echo "not ok hosts: build: no $file"; exit 1; }
done
if [ -z "${HOSTS_PRIVATE:-}" ]; then
	own=(unshare --net --mount)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net --mount)
	if "${own[@]}" ip link set lo up 2>/dev/null; then
		HOSTS_PRIVATE=1 exec "${own[@]}" bash "$here/run.sh" "$@"
	fi
	echo "skip hosts: all: no namespaces can be made here"
	exit 0
fi
ip link set lo up
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$tmp" # a host that has given up its rights still finds it
cd "$tmp" || exit 1
name='' why='' passed=0 failed=0 skipped=0
memory=unlimited # the address space that a host may have
before='' after='' # other libraries that are preloaded in every mode

fail() { why="${why:+$why; }$*"; }

wanted() { [[ -z $only || $1 == *$only* ]]; }

finish() {
	if [ "$why" ]; then
		echo "not ok hosts: $name: $why"
		failed=$((failed + 1))
	else
		echo "ok hosts: $name"
		passed=$((passed + 1))
	fi
	why=''
}

skip() {
	echo "skip hosts: $1: $2"
	skipped=$((skipped + 1))
}

# Sets aborts to the kernel's count of closes with unread input.
count_aborts() {
	local names values i
	aborts=0
	while read -ra names && read -ra values; do
		for i in "${!names[@]}"; do
			[ "${names[i]}" != TCPAbortOnClose ] || aborts=${values[i]}
		done
	done </proc/net/netstat
}

# once MODE COMMAND…: results in MODE.out, .err, .status, .aborts. Standard
# output is a pipe: a limit on files must not be met by it.
once() {
	local mode=$1 under=(timeout -k 5 200 prlimit "--as=$memory" env) old
	shift
	case $mode in
	bare) under+=(${before:+"LD_PRELOAD=$before"} ${after:+"LD_PRELOAD=$after"}) ;;
	warn) under+=(HALFCLOSE_WARN=stderr) ;;
	recorded) under+=("HALFCLOSE_LOG=$log" HALFCLOSE_STACK=opens) ;;
	esac
	[ "$mode" = bare ] || under+=("LD_PRELOAD=${before:+$before:}$preload${after:+:$after}")
	count_aborts
	old=$aborts
	{ "${under[@]}" "$@" 2>"$mode.err"; echo $? >"$mode.status"; } 2>/dev/null | cat >"$mode.out"
	count_aborts
	echo $((aborts - old)) >"$mode.aborts"
}

# compare LINES COMMAND…: runs it in the three modes. Recorded, at most LINES of
# the library's own may stand on standard error, and nothing else that is new.
compare() {
	local mode lines=$1
	shift
	log=${log:-$tmp/hc}
	[ "$log" != "$tmp/hc" ] || rm -f hc
	for mode in bare warn recorded; do
		once "$mode" "$@"
		if [ "$mode" = bare ]; then
			[ "$(<bare.status)" = 0 ] || fail "bare: status $(<bare.status), $(head -1 bare.err)"
			continue
		fi
		cmp -s bare.status "$mode.status" || fail "$mode: status $(<"$mode.status"), not $(<bare.status)"
		cmp -s bare.out "$mode.out" ||
			fail "$mode: says '$(diff bare.out "$mode.out" | grep '^[<>]' | head -4 | cut -c1-90 | tr '\n' ' ')'"
		diff <(sed '/^\(==\|halfclose: \)/d' bare.err) <(sed '/^\(==\|halfclose: \)/d' "$mode.err") >errors ||
			fail "$mode: on standard error '$(grep '^[<>]' errors | head -2 | tr '\n' ' ')'"
	done
	[ "$(grep -c '^halfclose: ' recorded.err)" -le "$lines" ] || fail "recorded: $(head -2 recorded.err | tr '\n' ' ')"
}

# Reads what was recorded; both commands must.
readable() {
	timeout 200 "$halfclose" log --json "$log" >log.json 2>errors || fail "log: status $?, $(head -1 errors)"
	timeout 200 "$halfclose" report --json "$log" >report.json 2>errors || fail "report: status $?, $(head -1 errors)"
}

report() {
	jq -e "$1" report.json >/dev/null 2>&1 ||
		fail "report: not $1: $(jq -c '[.lost_events, .damaged, .totals.outcome]' report.json 2>&1 | head -1)"
}

events() {
	jq -es "$1" log.json >/dev/null 2>&1 || fail "log: not $1"
}

true_to_kernel() {
	report '.lost_events == 0 and .damaged == 0'
	report ".totals.outcome[\"reset-unread\"] == $(<recorded.aborts)"
}

# host NAME COMMAND…: the same, and recorded truly
host() {
	wanted "$1" || return 1
	name=$1 log=
	shift
	compare 0 "$programs/$1" "${@:2}"
	readable
}

# Each connection begins once and has one end that is the last.
# shellcheck disable=SC2016
each_ends_once='map(select(.event == "close" and .state != "LISTEN" and .outcome != "shared") | .sock) as $ended |
	map(select(.event == "accept" or (.event == "connect" and .result == 0)) | .sock) as $begun |
	($ended | length) == ($ended | unique | length) and $begun - $ended == []'

if wanted calls; then
	name='calls, exports' why=''
	"$programs/calls" exports "$library" 2>&1 | sort >expected
	nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort >exported
	diff expected exported >errors || fail "$(grep '^[<>]' errors | tr '\n' ' ')"
	[ "$(sed -n 's/^ALIAS(\|^CALL(\|^END(/&/p' "$here/../../include/halfclose/calls.def" | wc -l)" = "$(wc -l <expected)" ] ||
		fail "rows of calls.def are not exported"
	[ "$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')" = libc.so.6 ] || fail "it needs more than libc.so.6"
	finish
fi

# What it asks libc for by name, other libraries may have hooks for, which are not
# ready when it starts: nothing that makes a system call (preload/kernel.c). The
# unwinder's conditions (of gcc 13 and later) and mutexes are for frames that are
# registered with it, and with ours none is.
if wanted 'calls, asked'; then
	name='calls, asked' why=''
	nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }' | sort >asked
	tr ' ' '\n' >harmless <<-'E'
		PyBytes_Type PyCode_Type PyGILState_GetThisThreadState PyUnicode_Type Py_Version
		_ITM_deregisterTMCloneTable _ITM_registerTMCloneTable __cxa_at_quick_exit __cxa_finalize
		__environ __errno_location __gmon_start__ __libc_single_threaded __pthread_key_create __register_atfork
		__stack_chk_fail
		_dl_find_object abort dladdr dlsym environ fcloseall fflush fileno_unlocked free getauxval malloc memchr memcmp memcpy memmove
		memset on_exit pidfd_getpid pthread_cond_broadcast pthread_cond_wait pthread_mutex_lock pthread_mutex_unlock pthread_once pthread_testcancel strchr
		strcmp strcpy strcspn strerrordesc_np strlen strncmp strnlen strrchr strspn
	E
	grep -vxFf harmless asked >errors && [ "$(uname -m)" = x86_64 ] && fail "$(tr '\n' ' ' <errors)"
	finish
fi

host calls calls && { true_to_kernel; finish; }
host vfork vfork && {
	true_to_kernel
	# what is spawned holds some too, and ends with them
	events '[.[] | select(.event == "close" and .how == "close" and .tid == .pid) | .outcome] |
		[map(select(. == "reset-unread")), map(select(. == "shared"))] | map(length) == [16, 11]'
	finish
}
host 'fork with threads' fork && {
	true_to_kernel
	report '.totals.outcome["reset-unread"] == 50'
	finish
}
host 'closes that a fork overtakes' overtaken seen && {
	report '.lost_events == 0 and .damaged == 0'
	events "map(select(.how == \"close\" and .outcome == \"reset-unread\")) | length as \$said | $(<seen) as \$seen |
		\$said <= \$seen and \$said > \$seen * 0.95"
	finish
}
host 'numbers reused at once' reuse && {
	true_to_kernel
	events "$each_ends_once"
	finish
}
host 'signal handlers, cancellation' signals && {
	true_to_kernel
	events "$each_ends_once"
	finish
}
host 'before and after main' late && { true_to_kernel; finish; }
host 'exit with a thread in connect' leave && { report '.damaged == 0'; finish; }

if wanted 'plugins that throw and end late'; then
	if "${CC:-gcc}" -shared -fPIC -g -o late.so "$here/plugins/late.c" &&
		"${CXX:-g++}" -shared -fPIC -g -o throw.so "$here/plugins/throw.cc"; then
		host 'plugins that throw and end late' plugin "$tmp/throw.so" "$tmp/late.so" && {
			true_to_kernel
			report '.totals.outcome["reset-unread"] == 50'
			finish
		}
	else
		skip 'plugins that throw and end late' 'they can not be compiled here'
	fi
fi

# what the host has, and what it lacks

host 'descriptors, threads, children' fds list && { true_to_kernel; finish; }
host 'daemon that closes all' fds daemon && { true_to_kernel; finish; }
for kind in inet no-reader full; do
	host "standard error becomes $kind" fds stderr "$kind" && { true_to_kernel; finish; }
	host "standard error is $kind" fds start "$kind" && { true_to_kernel; finish; }
done
host 'little address space' fds address-space && finish
host 'little data space' fds data && finish
host 'all memory locked' fds locked && { true_to_kernel; finish; }
# root, and not only of a namespace that has no other users
if [ "$(id -u)" = 0 ] && awk '$3 > 65534 { found = 1 } END { exit !found }' /proc/self/uid_map; then
	mkdir -p jail
	host 'jail, no rights' fds jail "$tmp/jail" && { true_to_kernel; finish; }
	if wanted 'no rights, exec'; then
		name='no rights, exec' log=
		cp "$library" library.so # the clone may be where nobody else may go
		preload=$tmp/library.so${preload#"$library"} compare 1 "$programs/fds" nobody
		finish
	fi
else
	skip 'jail, no rights' 'not root'
fi

# recordings that can't be

mkdir -p directory
ln -sf "$tmp/target" link
mkfifo fifo
echo 'somebody else has this' >foreign
cp foreign foreign.before
: >unwritable
for kind in directory link fifo foreign /dev/full /dev/null /nonexistent/hc /proc/hc '%x'; do
	wanted "recording is $kind" || continue
	name="recording is $kind" log=$kind
	compare 1 "$programs/fds" talk
	grep -q '^halfclose: fds\[[0-9]*\]: no recording: ' recorded.err || fail "does not say that there is none"
	cmp -s foreign foreign.before || fail "the file was changed"
	[ ! -e target ] || fail "a link was followed"
	finish
done
if wanted 'recording is locked'; then
	name='recording is locked' log=$tmp/locked
	exec 9>locked
	flock 9
	compare 1 "$programs/fds" talk
	exec 9>&-
	finish
fi
if wanted 'file sizes limited to 0'; then
	name='file sizes limited to 0' log=
	compare 1 "$programs/fds" limits
	finish
fi

# small_disk NAME KILOBYTES ADDRESS-SPACE COMMAND…: records to a tmpfs of that size
small_disk() {
	wanted "$1" || return 1
	name=$1 log=$tmp/disk/hc
	mkdir -p disk
	if ! mount -t tmpfs -o "size=${2}k" none disk 2>/dev/null; then
		skip "$1" 'no tmpfs can be mounted here'
		return 1
	fi
	memory=$3
	compare 1 "$programs/$4" "${@:5}"
	memory=unlimited
}
small_disk 'disk full at the start' 4 unlimited fds talk && finish
umount disk 2>/dev/null
small_disk 'disk full at the start, little memory' 40 400000000 fds talk && finish
umount disk 2>/dev/null
small_disk 'disk full under way' 512 unlimited reuse && {
	readable
	report '.lost_events > 0 and .connections > 0'
	finish
}
umount disk 2>/dev/null

# sandboxes

for how in prctl seccomp raw listener refused; do
	host "sandbox by $how" seccomp "$how" close && finish
done
for what in dup connect fork exit; do
	host "sandbox, then $what" seccomp prctl "$what" && finish
done

# death

if wanted 'killed while recording'; then
	name='killed while recording' log=
	compare 0 "$programs/kill" "${SEED:-1}"
	readable
	report '.lost_events == 0 and .connections > 100'
	finish
fi

for part in "$here"/parts/*.sh; do
	# shellcheck source=/dev/null
	. "$part"
done

echo "# hosts: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]

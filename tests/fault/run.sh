#!/bin/bash
# The library's own system calls fail, and the host must not notice:
#
#   by the faulty build  each of them, with each error that there is, once or
#                        from then on (inject.c, fault.c)
#   by the kernel        a filter that was there before the host refuses them
#                        (refuse.h), as a container's may
#
# What is recorded nevertheless must be readable and true.
#
#   run.sh          a sample of the faults; SEED=N: another one
#   run.sh all      every call, every error (make faults)
#
# In a network namespace of its own, so that the kernel's counters are ours alone.
set -u
shopt -s inherit_errexit 2>/dev/null
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-build} LC_ALL=C
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok fault: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so inject=$BUILD/tests/fault/inject sources=$here/../../preload

for tool in ip unshare nm; do
	command -v "$tool" >/dev/null || { echo "skip fault: all: no $tool"; exit 0; }
done
for file in "$library" "$BUILD/preload/init.o" "$BUILD/fault/libhalfclose.so" "$BUILD/halfclose" "$BUILD/halfclose-drain" "$inject"; do
	[ -e "$file" ] || { echo "not ok fault: build: no $file"; exit 1; }
done
if [ -z "${FAULT_PRIVATE_NET:-}" ]; then
	own=(unshare --net)
	"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net)
	if "${own[@]}" ip link set lo up 2>/dev/null; then
		FAULT_PRIVATE_NET=1 exec "${own[@]}" bash "$here/run.sh" "$@"
	fi
	echo "skip fault: all: no network namespace can be made here"
	exit 0
fi
ip link set lo up
for name in $(compgen -e HALFCLOSE_) $(compgen -e FAULT_) LD_PRELOAD; do unset "$name"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
cd "$tmp" || exit 1
all='' passed=0 failed=0 settings=()
[ "${1:-}" != all ] || all=1

say() { # say NAME WHY
	if [ "$2" ]; then
		echo "not ok fault: $1: $2"
		failed=$((failed + 1))
	else
		echo "ok fault: $1"
		passed=$((passed + 1))
	fi
}

# tried NAME INJECT'S ARGUMENTS…
tried() {
	local name=$1
	shift
	if timeout "${all:+36}00" "$inject" "$@" >said 2>&1; then
		say "$name: $(tail -n 1 said | sed 's/, 0 wrong//')" ''
	else
		say "$name" "$(tail -n 1 said)"
		cat said
	fi
}

# host RUNS MANY [-l] COMMAND…: a sample of so many faults; MANY with `all`, 0: each
host() {
	local runs=${all:+$2} name how=()
	runs=${runs:-$1}
	shift 2
	[ "$1" != -l ] || { how=("$1"); shift; }
	name="${1##*/} ${*:2}"
	tried "${name% }" -n "$runs" -s "${SEED:-1}" "${settings[@]}" "${how[@]}" "$@"
}

# Each call of its own can be refused: no door is without a lock.
pure='__errno_location|__libc_single_threaded|__dso_handle|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|environ|dlsym|(__real_)?_dl_find_object'
pure+="|dladdr|fflush|fcloseall|Py[A-Za-z]*_[A-Za-z]*"
pure+='|mem[a-z]*|str[a-z_]*|fileno_unlocked|pthread_testcancel|getauxval|sysconf|pidfd_getpid|hc_.*|(__real_)?_Unwind_.*'
nm -u "$BUILD"/preload/*.o | awk 'NF == 2 { print $2 }' | grep -vxE "($pure)" | sort -u >used
sed -n 's/^LIBC(.[^,]*, \([a-z_0-9]*\),.*\|^LIBC_ERROR(\([a-z_]*\),.*/\1\2/p' "$here/calls.def" | sort -u >rows
grep -ohE 'hc_sys6?\([^)]*SYS_[a-z0-9_]*|probe_name\(SYS_[a-z]*|hc_libc\.[a-z]*\(' "$sources"/*.[ch] |
	grep -oE 'SYS_[a-z0-9_]*' | sed 's/SYS_//' | sort -u >asked
sed -n 's/^OWN(\(.*\))/\1/p' "$here/calls.def" | sort -u >own
say 'every call has its row' "$(comm -23 used rows; comm -23 asked own)"
say 'every row has its call' "$(comm -13 used rows; comm -13 asked own)"

host 170 0 "$BUILD/tests/fault/host" 7001
host 15 1000 "$BUILD/tests/hosts/fds" list
host 15 1000 "$BUILD/tests/hosts/seccomp" prctl dup
host 10 500 "$BUILD/tests/hosts/late"
# hosts with threads take a second each
for threads in ${all:+signals reuse fork}; do
	host 0 100 -l "$BUILD/tests/hosts/$threads"
done
for way in 'fork_grandchild V4' 'passed_in_flight V4' 'exec_cloexec_copied V4' 'exec_traced MAPPED' \
	'exits_backlog V4' 'oob_behind V4' 'linger0_dup V4' 'closefrom_unread V4'; do
	host 10 500 "$BUILD/tests/truth/driver" "$way"
done
# The same with graceful ends, and a drain that is soon gone: also the calls by
# which a socket is handed over and a drain is started.
printf '#!/bin/sh\nexec %s --idle=0.001\n' "$BUILD/halfclose-drain" >hasty
chmod 755 hasty
settings=(-e HALFCLOSE_GRACEFUL=all -e "HALFCLOSE_DRAIN_HELPER=$tmp/hasty" -e HALFCLOSE_DRAIN_QUIET=20s)
host 130 0 -l "$BUILD/tests/graceful/host" hands-quietly 2
settings=()

# One by one, those that are asked for the same thing, all of them. Where the
# loader or the host needs the call as well, its arguments tell ours: mappings
# that are shared (the recording, the family's table) or reserve (the table),
# RW for mprotect, netlink for socket, standard error for write.
one_by_one=(getsockopt ioctl madvise mprotect:2=3 mremap munlock munmap 'mmap:3&1=1' 'mmap:3&0x4000=0x4000' getsockname getpeername
	socket:0=16 gettid getppid getpid kill waitid ppoll fcntl:1=1 getdents64 rt_sigprocmask:0=0 write:0=2
	sendto:0=2 rt_sigtimedwait unshare close_range:0=0xffffffff flock ftruncate fallocate pwrite64 uname readlink
	prlimit64 'openat:2&0x40=0x40' clock_gettime)
several=('getsockopt ioctl' 'getsockopt getpeername getsockname' 'madvise fallocate' 'mremap fallocate' 'kill waitid socket:0=16'
	'getsockopt ioctl madvise mprotect:2=3 mremap getsockname getpeername socket:0=16 gettid getppid kill waitid ppoll
		fcntl:1=1 getdents64 rt_sigtimedwait unshare close_range:0=0xffffffff flock uname readlink')
rules=()
for error in EPERM ${all:+ENOSYS EACCES EINVAL EAFNOSUPPORT}; do
	for rule in "${one_by_one[@]}" "${several[@]}"; do
		rules+=(-r "$error $(xargs <<<"$rule")")
	done
done
tried 'refused by a filter' "${rules[@]}" "$BUILD/tests/fault/host" 7001

echo "# fault: $passed passed, $failed failed"
[ "$failed" = 0 ]

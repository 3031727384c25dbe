# Part of run.sh: filters that were there before the program.
# shellcheck shell=bash disable=SC2154

# The numbers are those of the machine that the tests are compiled for.
declare -A number=()
learn_numbers() {
	local name value
	while read -r name value; do
		[[ -z $value || $value == *[!0-9]* ]] || number[$name]=$value
	done < <(sed -n 's/^refused \(.*\)/\1/p' "$here/parts/refuse.sh" | tr ' ' '\n' | sort -u |
		sed 's/^E.*/"&" &/; s/^[a-z].*/"&" SYS_&/' | { printf '#include <errno.h>\n#include <sys/syscall.h>\n'; cat; } |
		"${CC:-gcc}" -E -P -x c - | tr -d '"')
}

# refused ERROR CALL…
refused() {
	local error numbers=() call
	[ ${#number[@]} != 0 ] || learn_numbers
	wanted "refused, $*" || return
	name="refused, $*" why='' log=
	error=${number[$1]:?}
	shift
	for call; do numbers+=("${number[$call]:?}"); done
	# where a filter refuses what the recording needs there is none, and a line
	compare 3 "$programs/refuse" "$error" "${numbers[@]}"
	if [ -s "$log" ]; then
		readable
		report '.damaged == 0'
	fi
	finish
}

# what the kernel says of the program's own calls on a bad day
refused ENFILE socket socketpair accept accept4
refused ECONNABORTED accept accept4
refused EPERM connect
refused EMFILE dup dup2 dup3 fcntl
refused EBUSY dup2 dup3
refused ENOBUFS sendmsg recvmsg listen
refused ENOTCONN shutdown
refused EAGAIN clone clone3 vfork
refused ENOSYS close_range unshare
# what the library alone asks, or for its own sake
refused EPERM getsockopt getsockname getpeername ioctl
refused ENOSYS getsockopt ioctl
refused EACCES getpid gettid getppid
refused EPERM mremap madvise
refused EPERM flock ftruncate pwrite64
refused EPERM readlinkat getdents64 uname prlimit64
refused EPERM rt_sigprocmask ppoll kill waitid

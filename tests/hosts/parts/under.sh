# Part of run.sh: programs that run under another one, or are bound and laid out
# otherwise than is usual.
# shellcheck shell=bash disable=SC2034,SC2154

# under NAME COMMAND…: the same, and recorded truly
under() {
	wanted "$1" || return
	name=$1 why='' log=
	shift
	command -v "$1" >/dev/null || { skip "$name" "no $1"; return; }
	"$@" true >errors 2>&1 || { skip "$name" "$(head -1 errors | cut -c1-60)"; return; }
	compare 0 "$@" "$programs/calls"
	compare 0 "$@" "$programs/fds" talk
	readable
	true_to_kernel
	finish
}

under 'under strace' strace -f -qq -o /dev/null
under 'under setarch -R' setarch -R
under 'under setarch --addr-compat-layout' setarch --addr-compat-layout
under 'under nice' nice
under 'under LD_BIND_NOW' env LD_BIND_NOW=1
under 'under bwrap' bwrap --dev-bind / / --unshare-pid --unshare-ipc --die-with-parent --proc /proc

if wanted 'under gdb'; then
	if command -v gdb >/dev/null && gdb -nx -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
		name='under gdb' why='' log=
		# it has words of its own on both; the program's go to a file
		# shellcheck disable=SC2016
		compare 0 sh -c 'gdb -nx -batch -ex "break close" -ex "ignore 1 100000" -ex "run talk >$1" \
			"$2" >/dev/null 2>&1; grep -c ECONNRESET "$1"; sed "/^halfclose: /d" "$1"' sh "$tmp/gdb.out" "$programs/fds"
		[ "$(head -1 bare.out)" = 5 ] || fail "it did not run"
		readable
		true_to_kernel
		finish
	else
		skip 'under gdb' 'it runs nothing here'
	fi
fi

if "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -shared -fPIC -g -o deep.so "$here/plugins/deep.c"; then
	host 'plugins bound past us' deep "$tmp/deep.so" && {
		report '.lost_events == 0 and .damaged == 0'
		report ".totals.outcome[\"reset-unread\"] <= $(<recorded.aborts)"
		finish
	}
else
	skip 'plugins bound past us' 'they can not be compiled here'
fi

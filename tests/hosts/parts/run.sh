# Part of run.sh: programs that can't be traced, under `halfclose run`: a clear
# line for each, and it runs; and as children of a program that is traced, where
# they must run all the same.
# shellcheck shell=bash disable=SC2154

# untraced NAME TEXT STATUS COMMAND…
untraced() {
	wanted "run, $1" || return
	name="run, $1" why=''
	local text=$2 status=$3 is
	shift 3
	"$@" >bare.out 2>bare.err
	is=$?
	[ "$is" = "$status" ] || fail "bare: status $is, not $status"
	timeout 60 "$halfclose" run --quiet -- "$@" >run.out 2>run.err
	is=$?
	[ "$is" = "$status" ] || fail "status $is, not $status"
	cmp -s bare.out run.out || fail "says '$(head -1 run.out)', not '$(head -1 bare.out)'"
	[[ $(head -1 run.err) == "halfclose: "*"$text"*"; it runs untraced" ]] || fail "no line '$text': $(head -2 run.err)"
	[ "$(grep -c '^halfclose: ' run.err)" = 1 ] || [ "$status" = 126 ] || fail "more than a line: $(head -3 run.err)"
	finish
	# a child of a shell that is traced: the loader may have its say on standard error
	wanted "$name, as a child" || return
	name="$name, as a child"
	# shellcheck disable=SC2016
	timeout 60 "$halfclose" run --quiet -- sh -c '"$@"; exit $?' sh "$@" >run.out 2>run.err
	is=$?
	[ "$is" = "$status" ] || fail "status $is, not $status: $(head -1 run.err)"
	cmp -s bare.out run.out || fail "says '$(head -1 run.out)', not '$(head -1 bare.out)'"
	finish
}

if "${CC:-gcc}" -D_GNU_SOURCE -static -o static "$here/programs/plain.c" 2>/dev/null; then
	untraced static 'statically linked' 5 "$tmp/static"
else
	skip 'run, static' 'no static libc'
fi
"${CC:-gcc}" -D_GNU_SOURCE -o plain "$here/programs/plain.c" || skip 'run' 'no compiler'
if [ "$(id -u)" = 0 ] && cp plain setuid && chown nobody setuid 2>/dev/null && chmod u+s setuid; then
	untraced setuid 'set-user-ID' 5 "$tmp/setuid" asked
else
	skip 'run, setuid' 'not root'
fi
if command -v musl-gcc >/dev/null; then
	musl-gcc -D_GNU_SOURCE -o musl "$here/programs/plain.c"
	untraced musl musl 5 "$tmp/musl"
else
	skip 'run, musl' 'no musl-gcc'
fi
if command -v fzf >/dev/null; then
	untraced Go 'written in Go' 0 fzf --version
	untraced 'Go that fails' 'written in Go' 2 fzf --no-such-option
else
	skip 'run, Go' 'no fzf, a program written in Go'
fi
if "${CC:-gcc}" -m32 -nostdlib -fPIE -static-pie -o static32 "$here/programs/thirty_two.c" 2>/dev/null && ./static32 >/dev/null; [ $? = 6 ]; then
	untraced '32 bits, static' 'another architecture (32 and 64 bit)' 6 "$tmp/static32"
	if [ -e /lib/ld-linux.so.2 ] && [ -e /lib32/libc.so.6 ]; then
		"${CC:-gcc}" -m32 -nostdlib -fPIE -pie -Wl,--no-as-needed,--dynamic-linker=/lib/ld-linux.so.2 \
			-o dynamic32 "$here/programs/thirty_two.c" /lib32/libc.so.6
		untraced '32 bits' 'another architecture (32 and 64 bit)' 6 "$tmp/dynamic32"
	else
		skip 'run, 32 bits' 'no libc6-i386'
	fi
else
	skip 'run, 32 bits' 'they do not run here'
fi
# another machine's: this one can't execute it, and says so as without us
cp plain foreign-machine
machine='\267'
[ "$(uname -m)" != aarch64 ] || machine='\076'
printf '%b' "$machine" | dd of=foreign-machine bs=1 seek=18 conv=notrunc 2>/dev/null
untraced "another machine's" 'another architecture than' 126 "$tmp/foreign-machine"

#!/bin/bash
# What make install puts into place works from there, and uninstall removes it;
# the library is what the house says that it is.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

check() { # check NAME COMMAND…: its output is shown where it fails
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok install: $name"
	else
		echo "not ok install: $name: $*"
		printf '%s\n' "$out" | head -n 20 | sed 's/^/    /'
	fi
}

make_quietly() { make --no-print-directory -s "BUILD=$BUILD" "DESTDIR=$place" PREFIX=/opt/halfclose "$@"; }

runs_from_there() {
	"$place/opt/halfclose/bin/halfclose" run -o "$place/r.hc" -- /bin/true &&
		"$place/opt/halfclose/bin/halfclose" log --json "$place/r.hc" | jq -e 'select(.event == "process") | .exe' |
		grep -q true
}

# Libraries of Debian's architectures lie a directory deeper.
runs_from_a_triplet() {
	local triplet
	triplet=$(gcc -print-multiarch) || return
	make --no-print-directory -s "BUILD=$BUILD" "DESTDIR=$place/deep" PREFIX=/usr "LIBDIR=/usr/lib/$triplet" install &&
		[ -e "$place/deep/usr/lib/$triplet/libhalfclose.so" ] &&
		"$place/deep/usr/bin/halfclose" run -o "$place/d.hc" -- /bin/true && rm -r "$place/deep"
}

# each file of the lists is there, once, with its mode
is_complete() {
	local root=$place/opt/halfclose file
	for file in bin/halfclose bin/halfclose-drain lib/libhalfclose.so share/man/man{1/halfclose.1,7/libhalfclose.7,8/halfclose-drain.8} \
		share/bash-completion/completions/halfclose{,-drain} share/zsh/site-functions/_halfclose \
		share/doc/halfclose/{README.md,CHANGELOG.md,LICENSE,examples/{Makefile,README.md,common.h}}; do
		[ -s "$root/$file" ] || { echo "$file is not there"; return 1; }
	done
	[ -z "$(find "$root" -type f \( -path '*/bin/*' -o -name pair \) ! -perm 755)" ] &&
		[ -z "$(find "$root" -type f ! -path '*/bin/*' ! -name pair ! -perm 644)" ]
}
man_finds_it() { MANPATH=$place/opt/halfclose/share/man man -w halfclose libhalfclose halfclose-drain; }
builds_examples() {
	local examples=$place/opt/halfclose/share/doc/halfclose/examples
	make -s -f "$examples/Makefile" "BUILD=$place/build" "$place/build/examples/client" \
		"$place/build/examples/welcome_server_close" && BUILD=$place/build "$examples/pair" client welcome_server_close
	[ -x "$place/build/examples/client" ]
}

# but what was there before, and is none of ours
leaves_nothing() {
	touch "$place/opt/halfclose/lib/another.so" && make_quietly uninstall &&
		[ "$(find "$place/opt" -type f)" = "$place/opt/halfclose/lib/another.so" ] && [ ! -e "$place/opt/halfclose/share/doc/halfclose" ]
}

needs_libc_alone() {
	[ "$(readelf -d "$BUILD/libhalfclose.so" | sed -n 's/.*NEEDED.*\[\(.*\)\].*/\1/p')" = libc.so.6 ]
}

# The rows of calls.def, by the preprocessor, against the dynamic symbols.
exports_its_table() {
	printf '%s\n' '#define CALL(r, n, p) n' '#define END(r, n, p) n' '#define ALIAS(n, of) n' \
		'#include <halfclose/calls.def>' | gcc -E -P -Iinclude -x c - | tr -s ' ' '\n' | grep . | sort > "$place/table"
	nm -D --defined-only "$BUILD/libhalfclose.so" | awk '{ print $3 }' | sort > "$place/exports"
	[ -s "$place/table" ] && diff "$place/table" "$place/exports"
}

check "install" make_quietly install
check "the installed command runs a program under the installed library" runs_from_there
check "all files are there, with their modes" is_complete
if command -v man >/dev/null; then
	check "man finds the pages" man_finds_it
else
	echo "skip install: man finds the pages: no man"
fi
check "the examples build where they were installed" builds_examples
check "uninstall leaves nothing of ours" leaves_nothing
check "a library in a directory of its architecture is found" runs_from_a_triplet
check "the library needs libc alone" needs_libc_alone
check "the library exports its table and nothing else" exports_its_table
check "make help names the targets" bash -c "make -s help | grep -q 'make check'"

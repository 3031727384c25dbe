#!/bin/bash
# What make install puts into place works from there, and uninstall removes it;
# the library is what the house says that it is.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
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

leaves_nothing() {
	make_quietly uninstall && [ -z "$(find "$place/opt" -type f)" ]
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
check "uninstall leaves nothing" leaves_nothing
check "the library needs libc alone" needs_libc_alone
check "the library exports its table and nothing else" exports_its_table
check "make help names the targets" bash -c "make -s help | grep -q 'make check'"

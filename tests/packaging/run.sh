#!/bin/bash
# What is made of the tables for people: manual pages and completions.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export LC_ALL=C.UTF-8
umask 022
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD COLUMNS LINES; do unset "$name"; done

check() { # check NAME COMMAND…: its output is shown where it fails
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok packaging: $name"
	else
		echo "not ok packaging: $name: $*"
		printf '%s\n' "$out" | head -n 20 | sed 's/^/    /'
	fi
}

has() { command -v "$1" >/dev/null; }
silent() { # silent COMMAND…: it succeeds and says nothing
	local out
	out=$("$@" 2>&1) && [ -z "$out" ] && return
	echo "$out"
	return 1
}
missing() { # missing WORDS…: those that are not in the text on standard input
	local text word status=0
	text=$(cat)
	for word in "$@"; do
		[[ $text == *"$word"* ]] || { echo "missing: $word"; status=1; }
	done
	[ $# != 0 ] && return "$status"
}

# ---- manual pages ----

rendered() { MANWIDTH=80 man -E ascii -l "$1" 2>/dev/null | sed 's/.\x08//g'; }
fits() { awk 'length > 80 { print; wide = 1 } END { exit wide || NR < 20 }' "$1"; }
# shellcheck disable=SC2069 # what it warns of, and not the page
warns() { man --warnings -E UTF-8 -l "$1" 2>&1 >/dev/null; }

commands() { "$halfclose" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'; }
options_are_there() {
	local command
	for command in $(commands | grep -v help); do
		# shellcheck disable=SC2046 # words
		missing $("$halfclose" help "$command" | sed -n 's/^  \(-., \)\?\(--[a-z-]*\).*/\2/p') <"$place/halfclose.1" ||
			return 1
	done
	# shellcheck disable=SC2046
	missing $(commands | sed 's/^/halfclose~/') < <(tr ' ' '~' <"$place/halfclose.1")
}
rows() { sed -n "s/^$2(\"\?\([^,\" ]*\).*/\1/p" "$1"; } # the first column of a table

page_tests() {
	local page
	for page in halfclose.1 halfclose-drain.8 libhalfclose.7; do
		check "$page is good mdoc" silent mandoc -Tlint -Wwarning "$BUILD/man/$page"
		check "$page gives man no warning" silent warns "$BUILD/man/$page"
		rendered "$BUILD/man/$page" >"$place/$page"
		check "$page fits 80 columns" fits "$place/$page"
	done
	check "halfclose(1) has all commands and options" options_are_there
	# shellcheck disable=SC2046 # words
	check "halfclose(1) has all formats" missing $(sed -n 's/^\t\.name = "\([a-z-]*\)",$/\1/p' review/report_*.c) <"$place/halfclose.1"
	# shellcheck disable=SC2046
	{
		check "halfclose(1) has all findings" missing $(sed -n 's/^\t    "\([a-z-]*\)",$/\1/p' review/rules.c) <"$place/halfclose.1"
		check "halfclose(1) has all teardowns" missing $(sed -n 's/^TEARDOWN([^,]*, "\([^"]*\)".*/\1/p' review/teardown.def) <"$place/halfclose.1"
		check "libhalfclose(7) has all options" missing $(rows include/halfclose/options.def OPTION | sed 's/^/HALFCLOSE_/') <"$place/libhalfclose.7"
		check "libhalfclose(7) has all calls" missing $(sed -n 's/^\(CALL\|END\)([^,]*, \([^,]*\),.*/\2()/p' include/halfclose/calls.def) <"$place/libhalfclose.7"
		check "libhalfclose(7) has all events and fields" missing $(rows include/halfclose/events.def EVENT) \
			$(sed -n 's/^FIELD([^,]*, \([^,]*\),.*/\1/p' include/halfclose/events.def) <"$place/libhalfclose.7"
		check "libhalfclose(7) has all values" missing $(sed -n 's/^[A-Z]*([^,]*, "\([^"]\{1,\}\)".*/\1/p' include/halfclose/names.def) <"$place/libhalfclose.7"
		check "halfclose-drain(8) has all options" missing $("$BUILD/halfclose-drain" --help | sed -n 's/^  \(--[a-z]*\).*/\1/p') <"$place/halfclose-drain.8"
	}
}

# ---- completions ----

tables_are_whole() { # a part that is not known is no part
	printf '@nothing-of-that-name@\n' >"$place/template"
	! "$BUILD/packaging/derive/derive" "$place/template"
}

# Each line: what is typed, and what a command of that name would then get.
cat >"$place/lines" <<'LINES'
halfclose repor	<report>
halfclose --v	<--version>
halfclose report --form	<report><--format=>
halfclose report --jso	<report><--json>
halfclose report --output FILE-O	<report><--output><FILE-ONE>
halfclose report FILE	<report><FILE-ONE><FILE-TWO>
halfclose report --format=tex	<report><--format=text>
halfclose report --format tex	<report><--format><text>
halfclose report -f tex	<report><-f><text>
halfclose diff --severity=wa	<diff><--severity=warning>
halfclose run --drain=wa	<run><--drain=wait>
halfclose run --drain-quiet=	<run><--drain-quiet=2s>
halfclose run --graceful=unread,late,l	<run><--graceful=unread,late,linger0>
halfclose run --graceful=of	<run><--graceful=off>
halfclose run --graceful=unread,of	<run><--graceful=unread,of>
halfclose run --only=exe=x,pe	<run><--only=exe=x,peer=>
halfclose run --graceful -- demo al	<run><--graceful><--><demo><alpha>
halfclose run --stack all demo 	<run><--stack><all><demo><alpha><beta>
halfclose run -o FILE-T	<run><-o><FILE-TWO>
halfclose run env-of-the-tes	<run><env-of-the-test>
halfclose help repor	<help><report>
halfclose-drain --idl	<--idle=>
LINES

completion_tests() { # completion_tests SHELL
	local line expected is
	touch "$place/FILE-ONE" "$place/FILE-TWO"
	mkdir -p "$place/bin" && printf '#!/bin/true\n' >"$place/bin/env-of-the-test" && chmod +x "$place/bin/env-of-the-test"
	mapfile -t lines < <(cut -f 1 "$place/lines")
	(cd "$place" && HOME=$place/home PATH=$place/bin:$PATH timeout 300 python3 "$OLDPWD/tests/packaging/complete.py" "$1" "$BUILD/completion" "${lines[@]}") \
		>"$place/said" 2>"$place/problem" || sed 's/^/    /' "$place/problem"
	while IFS=$'\t' read -r line expected <&3 && IFS= read -r is <&4 || [ -n "$line" ]; do
		# zsh adds its = when it is needed
		if [ "$is" = "$expected" ] || { [ "$1" = zsh ] && [ "$is" = "${expected/=>/>}" ]; }; then
			echo "ok packaging: $1 completes: $line"
		else
			echo "not ok packaging: $1 completes: $line: to $is, not $expected"
		fi
		line=
	done 3<"$place/lines" 4<"$place/said"
}

# ---- systemd ----

# With the lines that are commented out, too: each key is one that systemd knows.
units_are_good() {
	mkdir -p "$place/units/server.service.d"
	sed "s,/usr/bin/,$BUILD/," packaging/systemd/halfclose-drain@.service | uncommented >"$place/units/halfclose-drain@.service"
	uncommented <packaging/systemd/halfclose.conf >"$place/units/server.service.d/halfclose.conf"
	printf '[Service]\nExecStart=/bin/true\n' >"$place/units/server.service"
	grep -q '^Wants=' "$place/units/server.service.d/halfclose.conf" &&
		silent env "SYSTEMD_UNIT_PATH=$place/units:" systemd-analyze verify --man=no "$place/units/server.service" \
			"$place/units/halfclose-drain@.service" "$place/units/halfclose-drain@www-data.service"
}
uncommented() { sed 's/^#\([A-Z][A-Za-z]*=[^ ]\)/\1/'; }

# ---- the container's recipe ----

copies_are_there() { # what it copies from the clone is in the clone
	local from
	# shellcheck disable=SC2013 # words
	for from in $(sed -n 's/^COPY \(--chmod=[0-7]* \)\?\([^- ][^ ]*\) .*/\2/p' packaging/container/Containerfile); do
		[ -e "$from" ] || { echo "$from is not there"; return 1; }
	done
	# as many as it has, but for the one between its stages
	[ "$(grep -c '^COPY' packaging/container/Containerfile)" = 4 ]
}

# ---- documents ----

links_lead_somewhere() {
	local file link status=0 links=0
	while IFS=: read -r file link; do
		links=$((links + 1))
		case $link in
		http*://*) ;;
		'#'*) sed -n 's/^##* //p' "$file" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n_-' | grep -qx -- "${link#?}" || { echo "$file: $link"; status=1; } ;;
		*) [ -e "$(dirname "$file")/${link%%#*}" ] || { echo "$file: $link"; status=1; } ;;
		esac
	done < <(git ls-files '*.md' 2>/dev/null | xargs grep -oH ']([^) ]*)' | sed 's/:](/:/; s/)$//')
	[ "$links" -ge 10 ] && return "$status"
}

check "a template that names no table is refused" tables_are_whole
if has mandoc && has man; then
	page_tests
else
	echo "skip packaging: manual pages: no mandoc, or no man"
fi
for shell in bash zsh; do
	if ! has "$shell"; then
		echo "skip packaging: $shell's completion: no $shell"
	else
		completion_tests "$shell"
	fi
done
if has systemd-analyze; then
	check "systemd takes the units, and each key that they name" units_are_good
else
	echo "skip packaging: systemd's units: no systemd-analyze"
fi
if git ls-files --error-unmatch README.md >/dev/null 2>&1; then
	check "links in documents lead somewhere" links_lead_somewhere
else
	echo "skip packaging: links in documents: this is no clone"
fi
check "what the container's recipe copies is there" copies_are_there
check "the container's entry is good shell" sh -n packaging/container/cured
tests/packaging/confined.sh

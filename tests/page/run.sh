#!/bin/bash
# The page of `halfclose report --html`: its data, held to the JSON report; then the
# page itself in a headless Chromium, driven by playwright-core (page.mjs).
#
#   tests/page/run.sh [DIRECTORY]     DIRECTORY: keep the pages and pictures of them there
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
export BUILD LC_ALL=C
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD DEBUGINFOD_URLS; do unset "$name"; done
halfclose=$BUILD/halfclose compile=$BUILD/tests/golden-compile
playwright=1.65.1 axe=4.14.1
temporary=$(mktemp -d) || exit 1
place=${1:-$temporary}
mkdir -p "$place" || exit 1
place=$(cd "$place" && pwd)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM HUP

check() { # check NAME COMMAND…
	local name=$1
	shift
	if "$@" >"$temporary/out" 2>&1; then
		echo "ok page: $name"
	else
		echo "not ok page: $name"
		head -n 10 "$temporary/out" | sed 's/^/    /'
	fi
}
compiled() { # compiled EVENTS NAME: recordings of that text, in NAME/
	mkdir -p "$temporary/$2" && "$compile" "$1" "$temporary/$2"
}
make_page() { # make_page NAME RECORDING…: NAME.html, .data.json and .report.json
	local page=$place/$1.html name=$1
	shift
	"$halfclose" report --html "$page" "$@" && "$halfclose" report --json "$@" >"$place/$name.report.json" &&
		sed -n 's,^<script type="application/json" id="data">\(.*\)</script>$,\1,p' "$page" >"$place/$name.data.json"
}

# What is in the page is the JSON report, and what its filters count adds up to it.
agrees() { # agrees NAME
	jq -e --slurpfile report "$place/$1.report.json" '
		$report[0] as $r
		| ([.rows[] | select(.[4] < 10)] | length) as $rows
		| if .report != $r then "the report differs" | halt_error(1) else . end
		| if .all_rows == 1 then {
			count: $rows,
			unread: ([.rows[] | select(.[4] < 10) | .[11] | numbers] | add // 0),
			unacked: ([.rows[] | select(.[4] == 4 or .[4] == 5) | .[12] | numbers] | add // 0),
			timewait: ([.rows[][18]] | add // 0),
			kinds: [.rows[] | select(.[4] < 10) | .[4]] | group_by(.) | map({ (.[0] | tostring): length }) | add
		} else {
			count: ([.cells[][4]] | add), unread: ([.cells[][5]] | add), unacked: ([.cells[][6]] | add),
			timewait: ([.cells[][7]] | add),
			kinds: [.cells[] | select(.[4] > 0)] | group_by(.[3]) | map({ (.[0][3] | tostring): map(.[4]) | add }) | add
		} end
		| {
			count: $r.connections, unread: $r.totals.unread_bytes, unacked: $r.totals.unacked_bytes,
			timewait: ($r.time_wait.accepted + $r.time_wait.connected),
			kinds: [$r.totals.teardown | to_entries | to_entries[] | select(.value.value > 0) | { (.key | tostring): .value.value }] | add
		} as $wanted
		| if . == $wanted then true else { is: ., wanted: $wanted } | tojson | halt_error(1) end
	' "$place/$1.data.json"
}
# … of the findings, too, and so does what the timeline is made of.
tallies_agree() { # tallies_agree NAME
	jq -e '[.cells[][12] | select(length > 0) | _nwise(3)] | group_by(.[0]) | map([(map(.[1]) | add), (map(.[2]) | add)])' "$place/$1.data.json" >"$temporary/is" &&
		jq -e '[.findings[] | [.count, .bytes]]' "$place/$1.report.json" >"$temporary/wanted" &&
		cmp "$temporary/is" "$temporary/wanted" &&
		jq -e '[.tracks[][3] | select(length > 0) | _nwise(2)[1]] | add' "$place/$1.data.json" >"$temporary/is" &&
		jq -e .connections "$place/$1.report.json" >"$temporary/wanted" && cmp "$temporary/is" "$temporary/wanted"
}
is_small() { [ "$(stat -c %s "$1")" -le 1048576 ] || ! stat -c '%s bytes' "$1"; }
scripts_are_two() { [ "$(grep -c -i '</script' "$1")" = 2 ] && [ "$(grep -o -i '<script' "$1" | wc -l)" = 2 ]; }
hash_of_script() { # the hash in the policy is that of the script that is there
	local hash
	hash=$(awk '/^<script>/ { on = 1; sub(/^<script>/, "") } on && /^<\/script>$/ { exit } on { print }' "$1" | openssl dgst -sha256 -binary | base64)
	grep -F "script-src 'sha256-$hash'" "$1"
}

# ---- the data ----
for events in tests/golden/*.events "$here/treacherous.events"; do
	name=$(basename "$events" .events)
	compiled "$events" "$name" || continue
	# one whose files can't be read has no page
	"$halfclose" report --json "$temporary/$name"/*.hc >/dev/null 2>&1 || continue
	make_page "$name" "$temporary/$name"/*.hc
	check "the data of $name is its report" agrees "$name"
done
check "nothing recorded can end a script" scripts_are_two "$place/treacherous.html"
if command -v openssl >/dev/null; then
	check "the policy lets this script run, and no other" hash_of_script "$place/treacherous.html"
else
	echo "skip page: the policy lets this script run: no openssl"
fi
python3 "$here/many.py" 100000 >"$temporary/many.events" && compiled "$temporary/many.events" many &&
	make_page many "$temporary/many/1.hc"
check "100,000 connections fit into 1 MiB" is_small "$place/many.html"
check "… and add up" agrees many
check "… for each finding and over time" tallies_agree many

# ---- pages of real programs: gunicorn, and examples whose sources are here ----
mkdir "$temporary/real"
if ! tests/demo/run.sh "$temporary/real/demo.hc" >"$temporary/demo" 2>&1; then
	echo "skip page: gunicorn: the demo did not end well: $(tail -n 1 "$temporary/demo")"
fi
pairs="welcome_server_close:client full_server_unread:full_client full_server_linger:full_client
	backlog_server_close:backlog_client checksum_server:checksum_client_half_close"
for pair in $pairs; do
	timeout 60 "$halfclose" run -q -o "$temporary/real/${pair%:*}.hc" -- examples/pair "${pair#*:}" "${pair%:*}" >/dev/null 2>&1
done
timeout 60 "$halfclose" run -q --graceful=all -o "$temporary/real/cured.hc" -- \
	examples/pair client welcome_server_close >/dev/null 2>&1
timeout 60 "$halfclose" run -q -o "$temporary/clean.hc" -- examples/pair client welcome_server_half_close >/dev/null 2>&1
make_page real "$temporary"/real/*.hc
check "the data of real programs is their report" agrees real
make_page clean "$temporary/clean.hc"
check "… and that of one where all is well" agrees clean

# ---- in a browser ----
cannot=
modules=$BUILD/tests/page
have() { grep -q "\"version\": \"$2\"" "$modules/node_modules/$1/package.json" 2>/dev/null; }
for tool in chromium node; do
	command -v $tool >/dev/null || cannot="no $tool"
done
if [ -z "$cannot" ] && ! { have playwright-core $playwright && have axe-core $axe; }; then
	mkdir -p "$modules"
	if ! command -v npm >/dev/null; then
		cannot="no npm to fetch playwright-core with"
	elif ! timeout 60 npm install --silent --no-audit --no-fund --no-save --prefix "$modules" \
		playwright-core@$playwright axe-core@$axe >"$temporary/npm" 2>&1; then
		cannot="playwright-core could not be fetched"
	fi
fi
if [ "$cannot" ]; then
	echo "skip page: in a browser: $cannot"
	exit 0
fi
timeout 800 node "$here/page.mjs" "$modules" "$place" "$PWD"

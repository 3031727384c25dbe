#!/bin/bash
# Can the suites fail? Libraries that do harm (faulty/) are loaded below ours, and
# each must be caught: by other projects' tests, by our own hard hosts, or both.
#
#   faults.sh                 each fault, before those that see it soonest
#   faults.sh --all [FAULT…]  the table: each before all quick rows and all hosts
#
# KEEP: a directory where what they said is left
set -u
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$here/../../build}
BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok suites: faults: no directory ${BUILD:-}"; exit 1; }
tmp=${KEEP:-$(mktemp -d)} || exit 1
[ -n "${KEEP:-}" ] || trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
many=$(($(nproc) + 1))

#   fault NAME  ROW of rows.sh, or -    HOST of tests/hosts, or -
faults() {
	fault errno       python-os             calls
	fault descriptor  python-subprocess-fds descriptors
	fault shared      python-socketserver   calls
	fault restart     python-select         -
	fault delay       python-http           -
	fault flags       -                     calls
	fault held        -                     calls
	fault said        -                     calls
	fault thread      -                     descriptors
	fault sigpipe     -                     descriptors
	fault lock        -                     'fork with'
	fault vfork       -                     vfork
}

rows_say() { # rows_say FAULT ROUNDS [ROW…]: what they print under it; bare runs are kept
	timeout 500 "$here/run.sh" --quick --rounds "$2" --jobs "$many" --bare "$tmp/none" --keep "$tmp/$1" \
		--fault "$BUILD/tests/suites/faulty/$1.so" "${@:3}" 2>&1
}
hosts_say() { # hosts_say FAULT [PATTERN]
	HOSTS_FAULT=$BUILD/tests/suites/faulty/$1.so timeout 300 "$here/../hosts/run.sh" "${@:2}" 2>&1
}
# The tests of rows that differ under a fault. Only what delays is known by the
# time it takes; everything else, by what a test says.
differ() { # differ FAULT <what rows_say said
	sed -n 's/^# \([^ ]*\): differs: \(.*\): bare .*/\1 \2/p' | grep -v '(exit status)$' |
		if [ "$1" = delay ]; then cat; else grep -v '(time)$'; fi
}

harmless() { # all of them pass where nothing is wrong
	local rows hosts host
	fault() { [ "$2" = - ] || echo "$2"; }
	mapfile -t rows < <(faults | sort -u)
	fault() { [ "$3" = - ] || echo "$3"; }
	mapfile -t hosts < <(faults | sort -u)
	rows_say none 5 "${rows[@]}" >"$tmp/none.row"
	for host in "${hosts[@]}"; do hosts_say none "$host"; done >"$tmp/none.host"
	if differ none <"$tmp/none.row" || grep '^not ok ' "$tmp/none.host" || ! grep -q '^ok ' "$tmp/none.row"; then
		echo "not ok suites: no fault: something fails"
	else
		echo "ok suites: no fault"
	fi
}

one_fault() { # one_fault NAME ROW HOST
	local why=''
	if [ "$2" != - ]; then
		rows_say "$1" 1 "$2" >"$tmp/$1.row"
		differ "$1" <"$tmp/$1.row" | grep -q . || why="$2 does not see it"
	fi
	if [ "$3" != - ]; then
		hosts_say "$1" "$3" >"$tmp/$1.host"
		grep -q '^not ok ' "$tmp/$1.host" || why="${why:+$why; }host $3 does not see it"
	fi
	if [ -n "$why" ]; then
		echo "not ok suites: fault $1: $why"
	else
		echo "ok suites: fault $1"
	fi
}

table() { # table [FAULT…]
	local wanted=" none $* " name
	fault() { if [ "$wanted" = " none  " ] || [[ $wanted == *" $1 "* ]]; then echo "$1"; fi; }
	echo '| fault | tests that differ | hosts that fail |'
	echo '| --- | --- | --- |'
	{ fault none; faults; } | while read -r name; do
		rows_say "$name" 1 >"$tmp/$name.rows" </dev/null
		hosts_say "$name" >"$tmp/$name.hosts" </dev/null
		printf '| %s | %s | %s |\n' "$name" \
			"$(differ "$name" <"$tmp/$name.rows" | cut -d' ' -f1 | sort | uniq -c | awk '{ printf "%s%s of %s", n++ ? ", " : "", $1, $2 }')" \
			"$(sed -n 's/^not ok hosts: \([^:]*\):.*/\1/p' "$tmp/$name.hosts" | awk 'NR < 4 { printf "%s%s", NR > 1 ? "; " : "", $0 } END { if (NR > 3) printf " and %d more", NR - 3 }')"
	done
}

# What is said of a test that gives these outcomes: 0 if it is as it should be
judged() { # judged ROW TEST BARE GRACEFUL
	local row=$tmp/judged/$1 run
	rm -rf "$row"
	for run in bare.1 graceful.1; do
		mkdir -p "$row/$run"
		echo 0 >"$row/$run/status"
		echo 1 >"$row/$run/seconds"
	done
	printf 'ok another\n%s %s\n%s (exit status)\n' "$3" "$2" "$3" >"$row/bare.1/results"
	printf 'ok another\n%s %s\n%s (exit status)\n' "$4" "$2" "$4" >"$row/graceful.1/results"
	/usr/bin/python3 "$here/results.py" judge "$row" graceful >"$tmp/judged/said"
}

known_differences() {
	local why='' name=test.test_ssl.TestPreHandshakeClose.test_preauth_data_to_tls_client
	mkdir -p "$tmp/judged"
	judged tornado "$name" ok ok || why="$why same;"
	! judged tornado "$name" ok fail || why="$why fails;"
	judged python-ssl "$name" ok fail || why="$why known to fail;"
	! judged python-ssl "$name" ok ok || why="$why fails no longer;"
	! judged python-ssl "$name" ok skip || why="$why skipped;"
	! judged python-ssl "no $name" ok ok || why="$why none of the name;"
	if [ -n "$why" ]; then
		echo "not ok suites: known differences: judged wrong:$why"
	else
		echo "ok suites: known differences"
	fi
}

# What is said at last of a test that gives these outcomes, a word for each run
at_last() { # at_last STATUS BARE RECORDED; ok/9: it took 9 s
	local row=$tmp/judged/row way words n is
	rm -rf "$row"
	for way in bare recorded; do
		[ "$way" = bare ] && words=$2 || words=$3
		n=0
		for word in $words; do
			n=$((n + 1))
			mkdir -p "$row/$way.$n"
			case $word in
			*/*) echo "${word#*/}" >"$row/$way.$n/seconds" ;;
			*) echo 1 >"$row/$way.$n/seconds" ;;
			esac
			if [ "$word" = stopped ]; then
				echo "stopped after 1 s" >"$row/$way.$n/status"
			else
				echo 0 >"$row/$way.$n/status"
				printf 'ok another\n%s one\n' "${word%/*}" >"$row/$way.$n/results"
			fi
		done
	done
	/usr/bin/python3 "$here/results.py" judge "$row" recorded last >"$tmp/judged/said"
	is=$?
	[ "$is" = "$1" ] || echo "bare $2, recorded $3: $is, not $1;"
}

chance() {
	local why
	mkdir -p "$tmp/judged"
	why=$(at_last 0 'ok ok ok ok ok' 'ok ok ok ok ok'
		at_last 1 'ok ok ok ok ok' 'fail fail fail fail fail'
		at_last 1 'ok ok ok ok ok' 'fail ok fail fail fail'
		at_last 0 'ok ok ok ok ok' 'fail ok ok fail fail'
		at_last 0 'ok ok ok ok ok' 'fail ok ok ok ok'
		at_last 0 'ok ok fail ok ok' 'fail fail fail fail fail'
		at_last 1 'ok ok fail ok ok' 'skip skip skip skip skip'
		at_last 1 'ok ok ok' 'fail fail fail'
		at_last 2 'ok ok ok ok ok' 'stopped stopped stopped stopped stopped'
		at_last 0 'ok ok ok ok ok' 'ok stopped ok ok ok'
		at_last 3 'stopped stopped' 'stopped stopped'
		at_last 1 'ok/2 ok/7 ok/2' 'ok/8 ok/18 ok/8'
		at_last 0 'ok/2 ok/7 ok/7' 'ok/8 ok/9 ok/9')
	if [ -n "$why" ]; then
		echo "not ok suites: what may be chance: judged wrong: $(tr '\n' ' ' <<<"$why")"
	else
		echo "ok suites: what may be chance"
	fi
}

if [ "${1:-}" = --all ]; then
	shift
	table "$@"
	exit
fi
known_differences
chance
harmless
fault() {
	while [ "$(jobs -rp | wc -l)" -ge "$many" ]; do wait -n; done
	one_fault "$@" >"$tmp/$1.said" &
}
faults
wait
fault() { cat "$tmp/$1.said"; }
faults

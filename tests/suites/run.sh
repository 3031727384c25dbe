#!/bin/bash
# Other projects' own test suites, bare and preloaded: each single test must give
# the same result. One that does not is run again, both ways; a test that gives
# different results bare is flaky, and said to be; so is one that after all rounds
# gives them so seldom preloaded that it may be chance (results.py).
#
#   run.sh [OPTION]… [ROW…]        rows.sh has the rows; default: all but the quick parts
#
#   --quick          the rows of `make check`
#   --mode MODE      how preloaded (rows.sh; default: recorded)
#   --rounds N       how often at most both ways (5)
#   --jobs N         so many rows at once (1)
#   --keep DIR       leave everything that was said there
#   --list           the rows that would run;  --packages: the Debian packages they need
#   --bare DIR       take bare runs from what was kept there
#   --fault LIBRARY  one more library, below ours, that makes faults (faults.sh)
#
# A run has network, mounts and processes of its own, that end with it. Sources
# are fetched by apt-get from where this machine has its packages from.
# shellcheck disable=SC2317 # rows and modes are read by calling them
set -u
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$here/../../build}
python=/usr/bin/python3
# shellcheck source=tests/suites/rows.sh
. "$here/rows.sh"

# ---- Inside: one run of a row's command ----

if [ -n "${SUITES_PLACE:-}" ]; then # run.sh SETTINGS WORD… -- COMMAND…
	place=$SUITES_PLACE sources=$BUILD/suites
	unset SUITES_PLACE BUILD
	ip link set lo up
	mkdir -p "$place/work" "$place/home" "$place/tmp"
	cd "$place/work" || exit 1
	export HOME=$place/home TMPDIR=$place/tmp LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
	export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
	while [ "$1" != -- ]; do
		export "${1?}"
		shift
	done
	shift
	"$@" >"$place/out" 2>&1 </dev/null
	echo $? >"$place/status"
	unset LD_PRELOAD
	awk '/^TcpExt/ { for (i = 1; i <= NF; i++) { if ($i == "TCPAbortOnClose") at = i }; value = $at } END { print value }' \
		/proc/net/netstat >"$place/aborts"
	exit 0
fi

# ---- What is wanted ----

when=full mode=recorded rounds=5 jobs=1 keep='' action=run fault='' known=''
while [ $# -gt 0 ]; do
	case $1 in
	--quick) when=quick ;;
	--mode) mode=$2; shift ;;
	--rounds) rounds=$2; shift ;;
	--jobs) jobs=$2; shift ;;
	--keep) keep=$2; shift ;;
	--bare) known=$2; shift ;;
	--fault) fault=$2; shift ;;
	--list | --packages) action=${1#--} ;;
	-*) echo "run.sh: no option $1" >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
only=" $* "
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done

wanted() { # wanted NAME WHEN
	[ "$only" = "  " ] || { [[ $only == *" $1 "* ]]; return; }
	case $when:$2 in
	full:part | quick:full) return 1 ;;
	esac
}

settings=()
set_mode() {
	mode() {
		[ "$1" = "$wanted_mode" ] || return 0
		shift
		settings=("$@" "LD_PRELOAD=$library${fault:+:$fault}")
	}
	wanted_mode=$mode
	modes
	unset -f mode
	[ ${#settings[@]} != 0 ] || { echo "run.sh: no mode $mode" >&2; exit 2; }
}

# ---- Sources ----

# Fetches a Debian source package and builds it, once. The lists of sources are
# taken from where this machine's packages come from, in files of our own.
fetch() { # fetch SOURCE
	local tree=$sources/$1 apt=$sources/apt file
	[ ! -e "$tree/.built" ] || return 0
	local options=(-q -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/from" -o "Dir::State::Lists=$apt/lists"
		-o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=root")
	if [ ! -e "$apt/updated" ]; then
		mkdir -p "$apt/from" "$apt/lists/partial" "$apt/cache/archives/partial"
		for file in /etc/apt/sources.list.d/*.sources; do
			[ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/from/${file##*/}"
		done
		for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
			[ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$apt/from/${file##*/}"
		done
		timeout 200 apt-get "${options[@]}" update && : >"$apt/updated"
	fi
	rm -rf "$tree" "$tree.new"
	mkdir -p "$tree.new" && cd "$tree.new" &&
		timeout 300 apt-get "${options[@]}" source --only-source "$1" && mv ./*/ "$tree" && cd "$tree" || return
	cp ../"$1.new"/*.dsc .
	if declare -F "build_$1" >/dev/null; then
		"build_$1" || return
	fi
	: >.built
	rm -rf "$tree.new"
}

# What a row needs, or why it can't be had
needs() { # needs LIST
	local need
	for need in ${1//,/ }; do
		case $need in
		source:*)
			need=${need#source:}
			mkdir -p "$sources"
			(fetch "$need") >"$sources/$need.log" 2>&1 </dev/null || {
				echo "source $need: $(grep -v '^$' "$sources/$need.log" | tail -1 | cut -c1-80)"
				return 1
			}
			;;
		*) dpkg-query -W -f '${Status}' "$need" 2>/dev/null | grep -q ' installed$' || {
			echo "no package $need"
			return 1
		} ;;
		esac
	done
}

# ---- Running ----

# once ROW NUMBER MODE LIMIT READER COMMAND…
once() {
	local place=$work/$1/$3.$2 reader=$5 log set=() start=${EPOCHREALTIME/./}
	log=$place/hc
	mkdir -p "$place"
	if [ "$3" = bare ] && [ -e "$known/$1/bare.1/results" ]; then
		cp -r "$known/$1/bare.1/." "$place"
		return
	fi
	[ "$3" = bare ] || set=("${settings[@]//%log/$log}")
	{ SUITES_PLACE=$place timeout -s KILL "$4" "${own[@]}" bash "$here/run.sh" "${set[@]}" -- "${@:6}" 2>"$place/errors"; } 2>/dev/null
	[ -e "$place/status" ] || echo "stopped after $4 s" >"$place/status"
	printf '%s\n' "$(((${EPOCHREALTIME/./} - start) / 100000))" | sed 's/\(.\)$/.\1/; s/^\./0./' >"$place/seconds"
	"$python" "$here/results.py" read "$reader" "$place" >"$place/results"
	if [ -e "$log" ] && [ -z "$fault" ]; then
		timeout 120 "$halfclose" report --json "$log" >"$place/report.json" 2>"$place/report.errors" || echo "report: status $?" >>"$place/wrong"
		grep -q '"damaged": 0,$' "$place/report.json" && grep -q '"lost_events": 0,$' "$place/report.json" ||
			echo "the recording is damaged or lost events" >>"$place/wrong"
	elif [ "$3" != bare ] && [ "$(<"$place/status")" = 0 ] && [[ ${set[*]} == *HALFCLOSE_LOG=* ]] && [ -z "$fault" ]; then
		echo "nothing was recorded" >>"$place/wrong"
	fi
	rm -rf "${place:?}"/{work,home,tmp}
	[ -n "$keep" ] || rm -f "$log"
}

one_row() { # one_row NAME WHEN SECONDS READER NEEDS COMMAND…
	local name=$1 limit=$3 reader=$4 round status=2 start=$SECONDS why
	why=$(needs "$5") || { echo "skip suites: $name: $why"; return; }
	shift 5
	mkdir -p "$work/$name"
	echo "$mode" >"$work/$name/mode"
	for ((round = 1; round <= rounds && status == 2; round++)); do
		once "$name" "$round" bare "$limit" "$reader" "$@"
		once "$name" "$round" "$mode" "$limit" "$reader" "$@"
		"$python" "$here/results.py" judge "$work/$name" "$mode" >"$work/$name/verdict"
		status=$?
	done
	if [ "$status" = 2 ] && [ "$rounds" -ge 3 ]; then # of fewer anything may be chance
		"$python" "$here/results.py" judge "$work/$name" "$mode" last >"$work/$name/verdict"
		status=$?
	fi
	why=$(cat "$work/$name"/*/wrong 2>/dev/null | sort -u | head -2 | tr '\n' ' ')
	if [ "$status" = 3 ] && [ -z "$why" ]; then
		echo "skip suites: $name: it does not end within $limit s, bare neither"
	elif [ "$status" = 0 ] && [ -z "$why" ]; then
		echo "ok suites: $name"
	else
		echo "not ok suites: $name: $why$(sed -n 's/^# //p' "$work/$name/verdict" | head -3 | tr '\n' ';')"
	fi
	head -n 20 "$work/$name/verdict" | sed "s/^# /# $name: /"
	[ ! -e "$work/$name/summary.json" ] ||
		echo "# $name: $("$python" "$here/results.py" brief "$work/$name") $((SECONDS - start)) s"
}

# ---- All of it ----

number=0
case $action in
packages)
	row() { wanted "$1" "$2" && tr , '\n' <<<"$5" | sed 's/^source:.*/dpkg-dev/'; }
	rows | sort -u
	exit
	;;
list)
	row() { wanted "$1" "$2" && echo "$1"; }
	rows
	exit
	;;
esac

BUILD=$(cd "$BUILD" 2>/dev/null && pwd) || { echo "not ok suites: build: no directory ${BUILD:-}"; exit 1; }
library=$BUILD/libhalfclose.so halfclose=$BUILD/halfclose sources=$BUILD/suites
set_mode
for tool in ip unshare "$python" dpkg-query; do
	command -v "$tool" >/dev/null || { echo "skip suites: all: no $tool"; exit 0; }
done
for file in "$library" "$halfclose"; do
	[ -e "$file" ] || { echo "not ok suites: build: no $file"; exit 1; }
done
own=(unshare --net --mount --pid --fork --kill-child --mount-proc)
"${own[@]}" true 2>/dev/null || own=(unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc)
"${own[@]}" ip link set lo up 2>/dev/null || { echo "skip suites: all: no namespaces can be made here"; exit 0; }

work=${keep:-$(mktemp -d)} || exit 1
mkdir -p "$work"
work=$(cd "$work" && pwd)
chmod 755 "$work" # a test that has given up its rights still finds it
[ -n "$keep" ] || trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

row() {
	wanted "$1" "$2" || return 0
	number=$((number + 1))
	mkdir -p "$work/$1"
	echo "$number" >"$work/$1/order"
	if [ "$jobs" = 1 ]; then
		one_row "$@"
		return
	fi
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
	one_row "$@" >"$work/$1/said" 2>&1 &
}
rows
wait
[ "$jobs" = 1 ] || cat "$work"/*/said
[ "$number" != 0 ] || { echo "not ok suites: $*: no such row"; exit 1; }
"$python" "$here/results.py" table "$work" | sed 's/^/# /'

#!/bin/bash
# Two recordings side by side: what is new, more or less frequent, gone; what counts.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD DEBUGINFOD_URLS

result() { # result NAME WHY: "" is well
	if [ -z "$2" ]; then echo "ok diff: $1"; else echo "not ok diff: $1: $2"; fi
}

# record NAME CONNECTIONS SITE=RESETS…: at function offsets of a program without symbols
record() {
	local name=$1 connections=$2
	shift 2
	mkdir -p "$place/$name.d"
	{
		echo 'file limit=100000000'
		echo 'process pid=100 ppid=1 start=exec exe=/opt/server'
		echo 'module module=1 build_id=0123456789abcdef path=/opt/server'
		awk -v n="$connections" -v list="$*" 'BEGIN {
			split(list, sites, " ")
			for (s = 1; s in sites; s++) {
				split(sites[s], of, "=")
				for (k = 0; k < of[2]; k++) site[++resets] = of[1]
			}
			for (i = 1; i <= n; i++) {
				printf "accept sock=1.%d fd=4 local=127.0.0.1:80 peer=10.0.0.1:%d\n", i, i % 60000 + 1
				if (i <= resets)
					printf "close sock=1.%d fd=4 how=close state=ESTABLISHED outcome=reset-unread unread=5 unacked=10 flags=accepted stack=1+%s\n", i, site[i]
				else
					printf "close sock=1.%d fd=4 how=close state=CLOSE-WAIT outcome=fin unread=0 flags=accepted,peer-fin\n", i
			}
		}'
	} > "$place/$name.events"
	"$BUILD/tests/golden-compile" "$place/$name.events" "$place/$name.d"
	mv "$place/$name.d/1.hc" "$place/$name"
}
record old 1000 0x10=10 0x20=10 0x30=10 0x40=10
record same 1000 0x10=10 0x20=10 0x30=10 0x40=10
record long 10000 0x10=100 0x20=50 0x30=101 0x50=1
record half 500 0x10=10 0x20=10
record other 500 0x30=10 0x40=10
record none 1000
record empty 0

diffs() { # diffs NAME STATUS JQ-FILTER-THAT-HOLDS ARGUMENT…
	local name=$1 status=$2 filter=$3 is why=
	shift 3
	"$halfclose" diff --json "$@" > "$place/json" 2> "$place/err"
	is=$?
	jq -e "$filter" "$place/json" > /dev/null 2>&1 || why="it says $(jq -c '[.worse, [.findings[] | [.change, .place]]]' "$place/json" 2>&1)"
	[ $is = "$status" ] || why="status $is, not $status"
	"$halfclose" diff "$@" > "$place/text" 2> /dev/null
	is=$?
	[ $is = "$status" ] || why="as text status $is, not $status"
	awk 'length($0) > 80 { exit 1 }' "$place/text" || why="more than 80 columns"
	result "$name" "$why"
}
of() { echo '[.findings[] | {(.place | sub(".*0x"; "")): .change}] | add'; } # place -> change

diffs "nothing has changed" 0 '.worse == 0 and all(.findings[]; .change == "same")' "$place/old" "$place/same"
diffs "frequencies, not counts, are compared" 3 \
	"$(of) == {\"10\": \"same\", \"20\": \"better\", \"30\": \"worse\", \"40\": \"gone\", \"50\": \"new\"}" "$place/old" "$place/long"
diffs "counts are told" 3 '[.findings[] | select(.change == "worse") | .old.count, .new.count, .new.bytes] == [10, 101, 1010]' \
	"$place/old" "$place/long"
diffs "a tolerance" 3 ".worse == 1 and ($(of)[\"30\"] == \"same\")" --tolerance 2 "$place/old" "$place/long"
diffs "a tolerance that is too small" 3 "$(of)[\"30\"] == \"worse\"" --tolerance 0 "$place/old" "$place/long"
diffs "only better is well" 0 'all(.findings[]; .change == "gone")' "$place/old" "$place/none"
diffs "all is new" 3 '.worse == 4' "$place/none" "$place/old"
diffs "a side without connections" 3 '.worse == 4' "$place/empty" "$place/old"
diffs "two sides without connections" 0 '.worse == 0 and .findings == []' "$place/empty" "$place/empty"
diffs "several old ones, one new" 0 "$(of) == {\"10\": \"same\", \"20\": \"same\", \"30\": \"same\", \"40\": \"same\"}" \
	--new "$place/same" "$place/half" "$place/other"
diffs "one old, several new ones" 0 '.new.connections == 1000 and .worse == 0' \
	--old "$place/old" "$place/half" "$place/other"
diffs "each by an option" 0 '.old.connections == 1000 and .new.connections == 1000' \
	--old "$place/old" --new "$place/half" --new "$place/other"

# The whole of what is printed. UPDATE=1 writes what came out as what is expected.
for kind in text json; do
	option=
	[ $kind = text ] || option=--json
	"$halfclose" diff $option "$place/old" "$place/long" > "$place/is"
	[ -z "${UPDATE:-}" ] || cp "$place/is" "tests/diff/expected.$kind"
	diff "tests/diff/expected.$kind" "$place/is" > "$place/diff" && why= || why=$(sed -n 2p "$place/diff")
	result "the whole as $kind" "$why"
done

# Reports in JSON in place of recordings: the same comes out.
for name in old same long half other; do "$halfclose" report --json -o "$place/$name.json" "$place/$name"; done
"$halfclose" diff --json "$place/old" "$place/long" > "$place/want"
why=
for pair in "old long.json" "old.json long" "old.json long.json"; do
	# shellcheck disable=SC2086 # two words
	set -- $pair
	"$halfclose" diff --json "$place/$1" "$place/$2" | cmp -s - "$place/want" || why="$pair says something else"
done
result "reports in JSON are as good as recordings" "$why"
diffs "a recording and a report of one side" 0 '.new.connections == 1000 and .worse == 0' \
	--old "$place/old" "$place/half.json" "$place/other"

# A finding of less severity than what counts does not.
"$BUILD/tests/golden-compile" tests/golden/teardowns.events "$place"
diffs "what is severe enough counts" 3 '.worse == 3' --severity warning "$place/none" "$place/1.hc"
diffs "what is not does not" 3 '.worse == 1' --severity error "$place/none" "$place/1.hc"
printf '[a]\nrule = unread-close\n' > "$place/supp"
diffs "what is suppressed does not" 0 '.worse == 0 and .suppressed == 1' --severity error --suppressions "$place/supp" \
	"$place/none" "$place/1.hc"

# A report keeps names that the program's next build takes from the recording.
cat > "$place/server.c" <<'C'
#include <arpa/inet.h>
#include <unistd.h>
static int end[2];
static void meet(int sends)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f };
	socklen_t size = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	char c;
	bind(listener, (void *)&to, sizeof(to));
	listen(listener, 1);
	getsockname(listener, (void *)&to, &size);
	end[0] = socket(AF_INET, SOCK_STREAM, 0);
	connect(end[0], (void *)&to, sizeof(to));
	end[1] = accept(listener, 0, 0);
	close(listener);
	if (sends) {
		write(end[0], "xy", 2);
		recv(end[1], &c, 1, 0);
	} else {
		shutdown(end[0], SHUT_WR);
		recv(end[1], &c, 1, 0);
	}
}
__attribute__((noinline)) static void cured(void)
{
	meet(BUG);
	close(end[1]);
	close(end[0]);
}
__attribute__((noinline)) static void ill(void)
{
	meet(1);
	close(end[1]);
	close(end[0]);
}
int main(void)
{
	cured();
	ill();
	return 0;
}
C
build_and_run() {
	gcc -g -O0 "$@" -o "$place/server" "$place/server.c" 2> /dev/null
	HALFCLOSE_LOG=$place/server.hc LD_PRELOAD=$BUILD/libhalfclose.so "$place/server"
}
build_and_run -DBUG=1
"$halfclose" report --json -o "$place/before.json" "$place/server.hc"
rm "$place/server.hc"
sed -i '2a /* a line more */' "$place/server.c"
build_and_run -DBUG=0
diffs "the next build: one is cured, one is as before" 0 \
	'[.findings[] | select(.rule == "unread-close") | [.change, (.place | sub(" .*"; ""))]] == [["gone", "cured"], ["same", "ill"]]' \
	--severity error "$place/before.json" "$place/server.hc"

# An answer that nobody got is none.
"$halfclose" diff "$place/old" "$place/long" > /dev/full 2> "$place/err"
is=$? why=
[ $is = 1 ] || why="status $is"
grep -q "standard output can't be written" "$place/err" || why="not said"
result "no room for what is worse" "$why"

# What can't be compared.
refused() { # refused NAME STATUS TEXT ARGUMENT…
	local name=$1 status=$2 text=$3 out is why=
	shift 3
	out=$("$halfclose" diff "$@" 2>&1)
	is=$?
	[[ $out == *"$text"* ]] || why="not said: $text; but: ${out:0:200}"
	[ "$(grep -c . <<< "$out")" = 1 ] || why="$(grep -c . <<< "$out") lines"
	[ $is = "$status" ] || why="status $is"
	result "$name" "$why"
}
refused "one file" 2 "which two" "$place/old"
refused "three files" 2 "which two" "$place/old" "$place/old" "$place/old"
refused "no operand beside --old" 2 "which two" --old "$place/old"
refused "an operand beside both" 2 "which two" --old "$place/old" --new "$place/old" "$place/old"
refused "no such severity" 2 "did you mean 'warning'" --severity warnin "$place/old" "$place/old"
refused "a tolerance below 0" 2 "--tolerance" --tolerance=-1 "$place/old" "$place/old"
refused "a tolerance that is no number" 2 "tolerance" --tolerance=x "$place/old" "$place/old"
refused "a missing file" 1 "$place/no: No such file" "$place/old" "$place/no"
refused "no recording" 1 "/etc/passwd: not a recording" /etc/passwd "$place/old"
echo '{"a": 1}' > "$place/other.json"
refused "no report" 1 "neither a recording of halfclose nor a report" "$place/other.json" "$place/old"
sed 's/"schema": 1/"schema": 2/' "$place/old.json" > "$place/newer.json"
refused "a report of a newer schema" 1 "schema is 2; this halfclose reads up to 1" "$place/old" "$place/newer.json"
grep -v '"fingerprint"' "$place/old.json" > "$place/older.json"
refused "a report without fingerprints" 1 "lacks what is to be compared" "$place/old" "$place/older.json"
head -c 300 "$place/old.json" > "$place/cut.json"
refused "a report that is cut" 1 "cut.json: line 20 is no JSON" "$place/cut.json" "$place/old"
{ echo '{'; head -c 24M /dev/zero | tr '\0' ' '; } > "$place/large.json"
refused "a report that is too large" 1 "large.json: is too large" "$place/large.json" "$place/old"
{ echo '{"a":'; head -c 1M /dev/zero | tr '\0' '['; } > "$place/deep.json"
refused "a report that is too deep" 1 "deep.json: line 2 is no JSON: maximum parsing depth" "$place/deep.json" "$place/old"

#!/bin/bash
# What `report` writes for other tools, held against those tools' own readers and
# against the JSON report of the same recording.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
halfclose=$BUILD/halfclose
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset LD_PRELOAD DEBUGINFOD_URLS
python=/usr/bin/python3 # Debian's, which has Debian's modules

result() { # result NAME WHY: "" is well
	if [ -z "$2" ]; then echo "ok formats: $1"; else echo "not ok formats: $1: ${2%%$'\n'*}"; fi
}
has() { "$python" -c "import $1" 2> /dev/null; }

# Each golden recording, by each reader.
for events in tests/golden/*.events; do
	name=$(basename "$events" .events)
	mkdir "$place/$name"
	"$BUILD/tests/golden-compile" "$events" "$place/$name"
	"$halfclose" report --json -o "$place/$name/json" "$place/$name"/*.hc 2> /dev/null
	for format in csv sarif trace folded folded-unacked folded-count openmetrics; do
		"$halfclose" report -f $format -o "$place/$name/$format" "$place/$name"/*.hc 2> /dev/null
	done
	"$halfclose" report -f prometheus -o "$place/$name/prometheus" "$place/$name"/*.hc 2> /dev/null
done
for format in csv sarif trace folded folded-unacked folded-count openmetrics; do
	module=json
	[ $format != sarif ] || module=jsonschema
	[ $format != openmetrics ] || module=prometheus_client
	if ! has $module; then
		echo "skip formats: $format: no Python module $module"
		continue
	fi
	why=$("$python" tests/formats/check.py $format "$place"/*/ 2>&1 | tail -n 5)
	result "$format is what its readers expect" "$why"
done

# The two dialects differ in a counter's family, and in what the older one does not have.
why=
for recording in "$place"/*/openmetrics; do
	sed -E '/^# (UNIT|EOF)/d; /^# TYPE .* counter$/s/ counter/_total counter/; s/^(# HELP [a-z_]+) /\1 /' "$recording" > "$place/as-old"
	diff <(grep -v '^# HELP' "$place/as-old") <(grep -v '^# HELP' "${recording%openmetrics}prometheus") > "$place/diff" ||
		why=$(head -n 2 "$place/diff")
done
result "prometheus says what openmetrics says" "$why"
if command -v promtool > /dev/null; then
	why=
	for recording in "$place"/*/prometheus; do
		why=$why$(promtool check metrics < "$recording" 2>&1)
	done
	result "promtool has no complaint" "$why"
else
	echo "skip formats: promtool has no complaint: it is not there (Debian's prometheus)"
fi

# A fingerprint outlasts lines that were added, other options of the compiler, another
# name of the directory, and the addresses of another run; two calls in one function have two.
mkdir "$place/a" "$place/b"
cat > "$place/a/server.c" <<'C'
#include <arpa/inet.h>
#include <unistd.h>
static int end[2];
static void join(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f };
	socklen_t size = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, (void *)&to, sizeof(to));
	listen(listener, 1);
	getsockname(listener, (void *)&to, &size);
	end[0] = socket(AF_INET, SOCK_STREAM, 0);
	connect(end[0], (void *)&to, sizeof(to));
	end[1] = accept(listener, 0, 0);
	close(listener);
}
static void meet(void)
{
	char c;
	join();
	write(end[0], "xy", 2);
	recv(end[1], &c, 1, 0);
}
__attribute__((noinline)) static void first(void)
{
	meet();
	close(end[1]);
	close(end[0]);
	meet();
	close(end[1]);
	close(end[0]);
}
__attribute__((noinline)) static void second(void)
{
	meet();
	close(end[1]);
	close(end[0]);
}
int main(void)
{
	first();
	second();
	return 0;
}
C
awk '{ print } /^#include <unistd/ { for (i = 0; i < 7; i++) print "/* a new line */" }' "$place/a/server.c" > "$place/b/server.c"
gcc -g -O0 -o "$place/a/server" "$place/a/server.c" 2> /dev/null
(cd "$place/b" && gcc -g -O0 -fPIE -pie -fno-omit-frame-pointer -o server server.c 2> /dev/null)
fingerprints() {
	HALFCLOSE_LOG=$place/$1.hc LD_PRELOAD=$BUILD/libhalfclose.so "$place/$1/server"
	"$halfclose" report -f sarif --source-root "$place/$1" -o "$place/$1.sarif" "$place/$1.hc"
	jq -r '.runs[0].results[].partialFingerprints[]' "$place/$1.sarif" | sort
}
fingerprints a > "$place/a.prints"
rm "$place/a.hc"
fingerprints a > "$place/a.again"
fingerprints b > "$place/b.prints"
why=
[ "$(sort -u "$place/a.prints" | grep -c .)" = 3 ] || why="not three findings: $(tr '\n' ' ' < "$place/a.prints")"
[ "$(cut -d: -f1 "$place/a.prints" | sort -u | grep -c .)" = 2 ] || why="not two functions"
cmp -s "$place/a.prints" "$place/a.again" || why="another run, other fingerprints"
cmp -s "$place/a.prints" "$place/b.prints" || why="moved lines, other fingerprints"
result "a fingerprint outlasts runs, lines and builds" "$why"

line=$(grep -n 'close(end\[1\])' "$place/a/server.c" | cut -d: -f1 | tr '\n' ' ')
is=$(jq -r '[.runs[0].results[].locations[0].physicalLocation | select(.artifactLocation.uri == "server.c" and
	.artifactLocation.uriBaseId == "%SRCROOT%") | .region.startLine] | sort | map("\(.) ") | add' "$place/a.sarif")
why=
[ "$is" = "$line" ] || why="lines ${is}not $line"
result "sarif: files below --source-root, and the lines of the calls" "$why"

# What is shown is the innermost call in the sources that are asked for: a library's is not.
mkdir "$place/library"
cat > "$place/library/wrap.c" <<'C'
#include <unistd.h>
int wrap(int fd) { int result = close(fd); return result; }
C
sed 's/static void join/int wrap(int fd);\n&/; s/close(end\[1\])/wrap(end[1])/' "$place/a/server.c" > "$place/b/server.c"
(cd "$place/b" && gcc -g -O0 -o server server.c "$place/library/wrap.c" 2> /dev/null)
rm -f "$place/b.hc"
fingerprints b > "$place/b.prints"
of_root() { jq -r '[.runs[0].results[] | select(.ruleId == "unread-close") | .locations[0].physicalLocation.artifactLocation.uri] | unique | join(" ")' "$1"; }
is=$(of_root "$place/b.sarif") why=
[ "$is" = server.c ] || why="shown in $is"
"$halfclose" report -f sarif -o "$place/b.sarif" "$place/b.hc"
is=$(of_root "$place/b.sarif")
[ "${is##*/}" = wrap.c ] || why="without a root shown in $is"
result "sarif: shown where the sources are" "$why"

# Rows and slices are written as they come: ten times the connections take no more memory.
many() { # many CONNECTIONS
	awk -v n="$1" 'BEGIN { print "process pid=100 ppid=1 start=exec exe=/bin/x"; for (i = 2; i < n; i++)
		printf "accept sock=1.%d fd=4 peer=10.0.0.1:%d\nclose sock=1.%d fd=4 how=close state=ESTABLISHED outcome=fin flags=accepted\n",
			i, i % 60000 + 1, i }' > "$place/many.events"
	mkdir -p "$place/many-$1"
	sed -i '1i file limit=1000000000' "$place/many.events"
	"$BUILD/tests/golden-compile" "$place/many.events" "$place/many-$1"
}
memory() { # memory FORMAT CONNECTIONS: the most that it took, in KiB
	"$python" -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$halfclose" report -f "$1" "$place/many-$2/1.hc"
}
if [ -n "${SAN:-}" ]; then
	echo "skip formats: bounded memory: a sanitizer keeps what is freed"
	exit
fi
many 10000
many 100000
for format in csv trace; do
	few=$(memory $format 10000) much=$(memory $format 100000) why=
	[ "$much" -lt $((few + 4096)) ] || why="$few KiB for 10,000 connections, $much for 100,000"
	result "$format takes bounded memory" "$why"
done

#!/bin/bash
# Names of call sites: inlined C++ functions, separate debug files, and no name
# where the file on the disk is not the one that ran.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(readlink -f "${BUILD:-build}")
unset DEBUGINFOD_URLS LD_PRELOAD
for name in $(compgen -e HALFCLOSE_); do unset "$name"; done
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
server=$place/server
line=$(grep -n 'the line' tests/names/server.cc | cut -d: -f1)
g++ -O2 -g -Wl,--build-id=uuid -o "$server" tests/names/server.cc || exit 1

record() { HALFCLOSE_LOG=$place/hc LD_PRELOAD=$BUILD/libhalfclose.so "$server"; }
site() { # function, file's last part and line of the site's frames in the server
	"$BUILD/halfclose" report --json "$place/hc" | jq -c '[.findings[] | select(.rule == "unread-close") | .site[] |
		select(.module | endswith("/server")) | [.function, (.file // "" | sub(".*/"; "")), .line]]'
}
expect() { # expect NAME FILTER: of the site
	local is
	is=$(site)
	if jq -e "$2" <<< "$is" > /dev/null; then echo "ok names: $1"; else echo "not ok names: $1: $is"; fi
}

named='.[0][0] == "web::Answer<int>::refuse() const" and .[0][1:] == ["server.cc", '$line'] and
	.[1][0] == "web::serve(int)" and .[1][1] == "server.cc" and .[2][0] == "main"'
record
expect "inlined C++ functions, each with its line" "$named"

objcopy --only-keep-debug "$server" "$server.debug"
mkdir "$place/apart"
mv "$server.debug" "$place/apart" # libdw finds it beside the program, link or not
strip --strip-all "$server"
expect "without debug information there is no line" 'all(.[]; .[2] == null)'
mv "$place/apart/server.debug" "$place"
objcopy --add-gnu-debuglink="$server.debug" "$server"
expect "a separate debug file" "$named"

if [ "$(id -u)" = 0 ]; then
	id=$(readelf -n "$server" | sed -n 's/.*Build ID: //p')
	by_id=/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
	trap 'rm -rf "$place" "$by_id"; rmdir --ignore-fail-on-non-empty "$(dirname "$by_id")" 2>/dev/null' EXIT
	objcopy --remove-section=.gnu_debuglink "$server"
	install -D -m 644 "$server.debug" "$by_id"
	rm "$server.debug"
	expect "a separate debug file by build id" "$named"
	rm "$by_id"
else
	echo "skip names: a separate debug file by build id: not root"
fi

sed 's/the line/another line/; s/client + 1/client + 2/' tests/names/server.cc > "$place/other.cc"
g++ -O2 -g -Wl,--build-id=uuid -o "$server" "$place/other.cc"
expect "a file that is not the one that ran gives no names" 'all(.[]; .[0] == null and .[2] == null)'

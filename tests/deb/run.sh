#!/bin/bash
# The Debian packages: they build, lintian has nothing to say, twice the same bytes,
# and on a machine that has only what they depend on they install, work and go again.
set -u
cd "$(dirname "$0")/../.." || exit 1
# Mounts of its own end with it; in a network of its own nobody else's drain is found.
if [ -z "${OWN_MOUNTS:-}" ] && unshare --mount --net true 2>/dev/null; then
	OWN_MOUNTS=1 exec unshare --mount --net -- "$0"
fi
for name in $(compgen -e HALFCLOSE_) LD_PRELOAD; do unset "$name"; done
umask 022
place=$(mktemp -d)
root=$place/root
end() {
	umount --lazy "$root/proc" 2>/dev/null
	rm -rf --one-file-system "$place"
}
trap end EXIT
version=$(sed -n 's/^VERSION *= *//p' Makefile)

check() { # check NAME COMMAND…: its output is shown where it fails
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok deb: $name"
	else
		echo "not ok deb: $name: $*"
		printf '%s\n' "$out" | tail -n 20 | sed 's/^/    /'
		return 1
	fi
}

for tool in dpkg-buildpackage dh lintian; do
	command -v "$tool" >/dev/null && continue
	echo "skip deb: no $tool"
	exit 0
done

# The unit tests have their suite.
build() { DEB_BUILD_OPTIONS=nocheck BUILD=$place/$1 packaging/deb "$version"; }
again() (
	umask 002
	export TZ=Asia/Kathmandu LC_ALL=C.UTF-8 LINTIAN=no USER=somebody HOME=/
	build another/place
)
same() {
	local deb
	for deb in "$place"/one/deb/*.deb; do
		cmp "$deb" "$place/another/place/deb/${deb##*/}" || return
	done
}
check "they build, and lintian has nothing to say" build one || exit 1
check "they build elsewhere" again && check "what is built elsewhere is the same" same

# ---- a machine that has what they need, and nothing else ----

of_all() { # of_all PACKAGE...: what these need, and they need, as installed here
	local todo=("$@") name
	declare -A seen=()
	while [ "${#todo[@]}" != 0 ]; do
		name=${todo[0]} todo=("${todo[@]:1}")
		[ -z "${seen[$name]:-}" ] || continue
		seen[$name]=1
		echo "$name"
		# of alternatives the one that is there
		mapfile -t -O "${#todo[@]}" todo < <(dpkg-query -W -f '${Pre-Depends}, ${Depends}\n' "$name" | tr ',' '\n' |
			while IFS='|' read -r -a choice; do
				for one in "${choice[@]}"; do
					one=${one%%(*} one=${one//[[:space:]]/} one=${one%%:*}
					[ -z "$one" ] || ! is_there "$one" || { echo "$one"; break; }
				done
			done)
	done
}
is_there() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$'; }
needs() { dpkg-deb -f "$1" Pre-Depends Depends | sed 's/^[A-Za-z-]*: //' | tr '|' ',' | tr ',' '\n' | sed 's/(.*//; s/[: ]//g' | grep -v halfclose; }

make_root() {
	local name
	mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/tmp" "$root/dev" "$root/proc" "$root/run"
	chmod 1777 "$root/tmp"
	# shellcheck disable=SC2046 # words
	of_all dpkg base-files coreutils dash diffutils grep sed libc-bin jq python3 \
		$(needs "$place"/one/deb/halfclose_[0-9]*.deb) $(needs "$place"/one/deb/libhalfclose_*.deb) | sort >"$place/names"
	while read -r name; do
		{ dpkg-query -s "$name"; echo; } >>"$root/var/lib/dpkg/status"
		dpkg-query --control-list "$name" | grep -v md5sums | while read -r part; do
			dpkg-query --control-show "$name" "$part" >"$root/var/lib/dpkg/info/$name.$part"
		done
		dpkg-query -L "$name" | tee "$root/var/lib/dpkg/info/$name.list"
	done <"$place/names" | grep -vE '^/usr/share/(doc|man|locale|info)/' | sort -u >"$place/paths"
	chmod +x "$root"/var/lib/dpkg/info/*.p* # maintainer scripts
	for name in bin sbin lib lib32 lib64 libx32; do # directories, or links where /usr is merged
		[ ! -L "/$name" ] || { mkdir -p "$root/usr/$name" && cp -P "/$name" "$root/$name"; }
	done
	while IFS= read -r name; do
		[ ! -e "$name" ] || [ -d "$name" ] && [ ! -L "$name" ] || printf '%s\0' "${name#/}"
	done <"$place/paths" | tar -C / --null --no-recursion -T - -c | tar -C "$root" -x --keep-directory-symlink
	ln -sf dash "$root/bin/sh"
	mknod -m 666 "$root/dev/null" c 1 3 && mknod -m 666 "$root/dev/urandom" c 1 9 && mount --bind /proc "$root/proc" &&
		chroot "$root" sh -c 'ldconfig; python3 -c "import socket" && jq -n 1'
}
files() { (cd "$root" && find usr etc ! -type d | sort); }
installs() { dpkg --root="$root" --install "$place"/one/deb/libhalfclose_*.deb "$place"/one/deb/halfclose_[0-9]*.deb; }
works() { chroot "$root" env PYTHONDONTWRITEBYTECODE=1 /bin/sh <packaging/debian/tests/installed; }
one_alone() { # servers need the library alone
	dpkg --root="$root" --purge halfclose && ! chroot "$root" sh -c 'command -v halfclose' && [ -e "$root/usr/bin/halfclose-drain" ]
}
goes() { dpkg --root="$root" --purge libhalfclose && files | diff "$place/before" -; }

if [ -z "${OWN_MOUNTS:-}" ]; then
	echo "skip deb: a clean machine: no right to make one"
	exit 0
fi
ip link set lo up
check "a root with what they depend on" make_root || exit 1
files >"$place/before"
check "they install there" installs &&
	check "what is installed works" works &&
	check "the library stays without the command" one_alone &&
	check "nothing stays when they go" goes

# shellcheck shell=bash
# What a graceful end costs: the program, and halfclose-drain beside it.

# cpu PID…: what they have used, in ns, and their children that ended, in ticks
cpu() {
	local pid
	for pid; do
		cat "/proc/$pid/schedstat" 2>/dev/null
		awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($14 + $15) * 1e9 / tick }' "/proc/$pid/stat" 2>/dev/null
	done | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# Of files with a round in each line: the median of a column, and of its ratio to
# one of another file.
column() { awk -v n="$2" '{ print $n }' "$work/$1" | median; }
ratio() { # ratio FILE FILE COLUMN
	paste <(awk -v n="$3" '{ print $n }' "$work/$1") <(awk -v n="$3" '{ print $n }' "$work/$2") | awk '{ print $1 / $2 }' | median
}
each_second() { awk '{ printf "%.0f", 1e9 / $1 }'; }

processes() { echo "$1"; pgrep -P "$1" || true; }

start_drain() {
	"$BUILD/halfclose-drain" &
	drain=$!
	for ((i = 0; i < 500; i++)); do
		! grep -q '@halfclose-drain-' /proc/net/unix || return 0
		sleep 0.01
	done
	echo 'no halfclose-drain' >&2
	exit 1
}
drain='' masters=()
stop_all() {
	for pid in $drain "${masters[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" || true
	done
	drain='' masters=()
}
trap 'stop_all; rm -rf "$work"' EXIT

echo "A graceful close, of connections of 64 bytes (CPU time of the program; its close alone)"
start_drain
for mode in nothing once helper; do
	case $mode in
	nothing) what="needs nothing" goal="   goal <= 1.03" ;;
	once) what="settled at once" goal='' ;;
	helper) what="goes to halfclose-drain" goal='' ;;
	esac
	rm -f "$work"/graceful*
	n=$((connections / 4))
	for ((i = 0; i < rounds; i++)); do
		"$bin/graceful" $mode $n >> "$work/graceful-bare"
		before=$(cpu "$drain")
		figures=$(env LD_PRELOAD="$library" HALFCLOSE_WARN=off HALFCLOSE_GRACEFUL=all "$bin/graceful" $mode $n)
		echo "$figures $((($(cpu "$drain") - before) / n))" >> "$work/graceful"
	done
	printf '  %-24s %9.0f ns   ratio %.3f%s\n' "$what" "$(column graceful 1)" "$(ratio graceful graceful-bare 1)" "$goal"
	printf '    connections a second   %6d; bare %d\n' "$(column graceful 2 | each_second)" "$(column graceful-bare 2 | each_second)"
	printf '    close, p50 and p99     %6.1f and %.1f us; bare %.1f and %.1f us\n' \
		"$(column graceful 3 | awk '{ print $1 / 1000 }')" "$(column graceful 4 | awk '{ print $1 / 1000 }')" \
		"$(column graceful-bare 3 | awk '{ print $1 / 1000 }')" "$(column graceful-bare 4 | awk '{ print $1 / 1000 }')"
	[ "$mode" != helper ] || printf "    halfclose-drain's own  %6d ns\n" "$(column graceful 5)"
done
stop_all

# One server's own cure, and the same server without it, cured: a client whose
# uploads of 100 KB are refused with 20 KB. Its processes, and halfclose-drain's.
serve() { # serve PORT LINGERING [NAME=VALUE…]: a server; its first process goes to masters
	local port=$1 at=$work/nginx-$1
	mkdir -p "$at/files"
	head -c 20000 /dev/zero > "$at/files/upload"
	sed "s,8000,$port,; s,include lingering.conf,lingering_close $2," tests/victims/nginx.conf > "$at/conf"
	(cd "$at" && exec env "${@:3}" /usr/sbin/nginx -p "$at" -c "$at/conf" -e stderr -g 'daemon off; user root; worker_processes 1;') 2> "$at/errors" &
	masters+=($!)
	for ((i = 0; i < 500; i++)); do
		! (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
		sleep 0.01
	done
	echo "nginx: $(head -1 "$at/errors")" >&2
	exit 1
}

if [ -x /usr/sbin/nginx ]; then
	echo "nginx, refusing uploads of 100 KB with 20 KB (CPU time of one, halfclose-drain's included)"
	start_drain
	names=('lingering_close off' 'off, cured by halfclose' 'lingering_close always')
	serve 8001 off
	serve 8002 off LD_PRELOAD="$library" HALFCLOSE_WARN=off HALFCLOSE_GRACEFUL=all
	serve 8003 always
	n=$((connections / 20))
	rm -f "$work"/nginx.*
	for ((i = 0; i < rounds; i++)); do
		for way in 0 1 2; do
			all=($(processes "${masters[way]}"))
			[ $way != 1 ] || all+=("$drain")
			before=$(cpu "${all[@]}")
			figures=$("$bin/uploads" $((8001 + way)) $n 100000)
			# what lingers ends with the client's end
			sleep 0.1
			echo "$figures $((($(cpu "${all[@]}") - before) / n))" >> "$work/nginx.$way"
		done
	done
	for way in 0 1 2; do
		printf '  %-24s %9.0f ns   ratio %.3f   %d a second, whole %d of %d\n' "${names[way]}" "$(column nginx.$way 3)" \
			"$(ratio nginx.$way nginx.2 3)" "$(column nginx.$way 2 | each_second)" \
			"$(awk '{ sum += $1 } END { print sum }' "$work/nginx.$way")" $((n * rounds))
	done
	stop_all
else
	echo "nginx: not here"
fi

echo "$lingering connections that linger at once"
start_drain
rm -f "$work/gate" "$work/said"
mkfifo "$work/gate"
env LD_PRELOAD="$library" HALFCLOSE_WARN=off HALFCLOSE_GRACEFUL=all HALFCLOSE_DRAIN_QUIET=200s HALFCLOSE_DRAIN_TIME=300s \
	"$BUILD/tests/endurance/lingering" "$lingering" < "$work/gate" > "$work/said" 2> "$work/times" &
host=$!
exec 9> "$work/gate"
until grep -q closed "$work/said" || ! kill -0 "$host" 2>/dev/null; do sleep 0.1; done
all=($(processes "$drain"))
# each is a descriptor of one of them
for ((i = 0; i < 100; i++)); do
	[ "$(for pid in "${all[@]}"; do ls "/proc/$pid/fd"; done | wc -l)" -lt "$lingering" ] || break
	sleep 0.1
	all=($(processes "$drain"))
done
taken=$(cpu "${all[@]}")
printf '  memory of %-14s %9d KiB, in %d processes   goal <= 65536\n' halfclose-drain \
	"$(for pid in "${all[@]}"; do cat "/proc/$pid/smaps_rollup"; done | awk '/^Pss:/ { sum += $2 } END { print sum }')" "${#all[@]}"
printf '  CPU time of taking one   %9d ns\n' $((taken / lingering))
sleep 1
idle=$(cpu "${all[@]}")
sleep 5
printf '  CPU time in 5 s of waiting %7d us\n' $((($(cpu "${all[@]}") - idle) / 1000))
printf '  %s\n' "$(sed -n 's/^== //p' "$work/times")"
exec 9>&-
wait "$host" || exit 1
printf '  %s of %d\n' "$(tail -n 1 "$work/said")" "$lingering"
stop_all


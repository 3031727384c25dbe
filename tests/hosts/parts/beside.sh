# Part of run.sh: other preloaded libraries, before and after ours.
# shellcheck shell=bash disable=SC2034,SC2154

if "${CC:-gcc}" -D_GNU_SOURCE -shared -fPIC -fno-builtin -g -o beside.so "$here/plugins/beside.c"; then
	before=$tmp/beside.so
	host 'beside hooks, after them' calls main && { true_to_kernel; finish; }
	before='' after=$tmp/beside.so
	host 'beside hooks, before them' calls main && { true_to_kernel; finish; }
	after=''
else
	skip 'beside hooks' 'they can not be compiled here'
fi

# Ours is asked twice for each call, and must neither go round nor count twice.
# shellcheck disable=SC2016
sorts='map("\(.event) \(.outcome // .result // .via // "")") | group_by(.) | map("\(.[0]) \(length)") | .[]'
for way in ALIASES BY_NUMBER; do
	wanted "hooks that call $way" || continue
	if "${CC:-gcc}" -D_GNU_SOURCE -D"$way" -shared -fPIC -g -o "$way.so" "$here/plugins/aliases.c"; then
		before=$tmp/$way.so
		if host "hooks that call $way, after them" calls main; then
			true_to_kernel
			jq -rs "$sorts" log.json >once
			finish
		fi
		before='' after=$tmp/$way.so
		if host "hooks that call $way, before them" calls main; then
			true_to_kernel
			jq -rs "$sorts" log.json >twice
			cmp -s once twice || fail "events are '$(diff once twice | grep '^[<>]' | tr '\n' ' ')'"
			finish
		fi
		after=''
	else
		skip "hooks that call $way" 'they can not be compiled here'
	fi
done

# The last one that wants to be first is; what it and the program's own first array
# end before ours has started is
# not recorded, and shows that it was.
if "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -shared -fPIC -g -Wl,-z,initfirst -o early.so "$here/plugins/early.c" -pthread; then
	after=$tmp/early.so
	host 'started before ours' late && {
		report '.lost_events == 0 and .damaged == 0'
		report ".totals.outcome[\"reset-unread\"] == $(<recorded.aborts) - 2"
		finish
	}
	after=''
else
	skip 'started before ours' 'it can not be compiled here'
fi

for library_beside in /usr/libexec/coreutils/libstdbuf.so "$(ldconfig -p | sed -n 's/.*libjemalloc.so.2 .*=> //p' | head -1)"; do
	short=${library_beside##*/}
	if ! [ -e "$library_beside" ]; then
		skip "beside ${short:-libjemalloc}" 'not installed'
		continue
	fi
	before=$library_beside
	host "beside $short, after it" calls main && { true_to_kernel; finish; }
	before='' after=$library_beside
	host "beside $short, before it" calls main && { true_to_kernel; finish; }
	after=''
done

# Part of run.sh: descriptors that are shared, or part, behind libc's back.
# shellcheck shell=bash disable=SC2154

for kind in files unshare range namespace ring; do
	# what the library can't see it may miss, but it claims no reset that was none
	host "sharing, $kind" sharing "$kind" && {
		report '.lost_events == 0 and .damaged == 0'
		report ".totals.outcome[\"reset-unread\"] <= $(<recorded.aborts)"
		case $kind in # of the thread's ends one sent a reset
		unshare | range) events 'map(select(.tid != .pid and .outcome == "reset-unread")) | length == 1' ;;
		esac
		finish
	}
done

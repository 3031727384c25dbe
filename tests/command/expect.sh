# shellcheck shell=bash
# expect SUITE NAME STATUS TEXT COMMAND…: the status it ends with, and a text that it
# says on either output ("" for whatever it says, "-" for nothing). To be sourced.
expect() {
	local suite=$1 name=$2 status=$3 text=$4 out is
	shift 4
	out=$(timeout 60 "$@" 2>&1)
	is=$?
	if [ "$is" != "$status" ]; then
		echo "not ok $suite: $name: status $is, not $status"
	elif [ "$text" = - ] && [ -n "$out" ]; then
		echo "not ok $suite: $name: it spoke"
	elif [ "$text" != - ] && [[ $out != *"$text"* ]]; then
		echo "not ok $suite: $name: not said: $text"
	else
		echo "ok $suite: $name"
		return
	fi
	printf '%s\n' "$out" | head -n 15 | sed 's/^/    /'
}

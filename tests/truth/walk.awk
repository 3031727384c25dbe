# Holds a walk's steps against the ends that were recorded.
#
#   walk.awk ENDS STEPS     ENDS: time, how, outcome and ports of each, in the order
#                           of time
#
# Of each step the kernel says how many connections it reset, and which other ends
# saw the end; the ends within the step's time say the same. Those that could not be
# known may be or not be what the kernel says.
BEGIN { n = at = 0 }
FNR == NR { t[n] = $1; how[n] = $2; outcome[n] = $3; ports[n++] = $4; next }

{
	kind = $1; since = $2; until = $3; on_close = $4; on_data = $5
	name = $0; sub(/([^ ]+ ){6}/, "", name); name = kind " " name
	unread = linger = unknown = 0; said = ""
	delete ends
	k = split($6 == "-" ? "" : $6, seen, ",")
	while (at < n && t[at] < since)
		wrong("an end between the steps: " how[at] ":" outcome[at++])
	for (; at < n && t[at] <= until; at++) {
		if (outcome[at] == "none")
			continue
		said = said " " how[at] ":" outcome[at] "(" ports[at] ")"
		if (kind == "X" && how[at] == "exec")
			continue
		unread += outcome[at] == "reset-unread"
		linger += outcome[at] == "reset-linger"
		unknown += outcome[at] == "unknown"
		if (outcome[at] == "unknown" && how[at] !~ /exit|Exit|return|exec|syscall/)
			wrong("an end that the kernel could be asked about is unknown")
		if (outcome[at] != "shared")
			ends[ports[at]] = outcome[at]
	}
	if (kind == "E") {
		if (said != "")
			wrong("an end was recorded")
	} else {
		if (on_close < unread || on_data < linger || on_close + on_data > unread + linger + unknown)
			wrong("TCPAbortOnClose " on_close ", TCPAbortOnData " on_data)
		for (i = 1; i <= k; i++)
			if (!(seen[i] in ends) && name !~ /: shutdown/)
				wrong("the other end of " seen[i] " saw an end")
	}
	for (i = 1; i <= k; i++)
		over[seen[i]] = 1
	for (i in ends)
		if (!(i in over) && ends[i] ~ /fin|reset/)
			wrong("the other end of " i " saw no end")
	all_unread += unread; all_linger += linger; all_unknown += unknown
}

function wrong(why)
{
	if (failed++ < 3)
		print "step " name ": " why ";" (said == "" ? " nothing" : said) " is said"
}

END {
	while (at < n)
		wrong("an end after the last step: " how[at] ":" outcome[at++])
	if (failed)
		print failed " steps are wrong"
	else
		print "right", all_unread + 0, all_linger + 0, all_unknown + 0
}

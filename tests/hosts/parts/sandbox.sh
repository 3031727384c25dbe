# Part of run.sh: a sandbox that kills for any system call which the program does
# not make itself: what it makes is seen by running it bare under strace.
# shellcheck shell=bash disable=SC2154

if wanted 'sandbox, exact'; then
	name='sandbox, exact' why='' log=
	if command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
		strace -f -n -qq -o calls.trace "$programs/sandbox" >/dev/null 2>errors
		sed -n '1,/SECCOMP_MODE_FILTER/d; s/^[0-9 ]*\[ *\([0-9]*\)\].*/\1/p' calls.trace | sort -un >list
		[ "$(wc -l <list)" -gt 10 ] || fail "no list: $(head -1 errors)"
		# it ends with 4, and compare wants 0
		# shellcheck disable=SC2016
		compare 0 sh -c '"$@"; [ $? = 4 ]' sh "$programs/sandbox" list
		readable
		report '.damaged == 0'
		finish
	else
		skip "$name" 'no strace that could trace'
	fi
fi

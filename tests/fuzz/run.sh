#!/bin/bash
# The corpus of each fuzz target, and with it all that was ever found, fed to
# the target without a fuzzer. A file that takes more than two seconds of CPU
# time or half a gigabyte of address space is as bad as one that ends it.
# BUILD is where the programs are.
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd) || exit 1
failed=0
# sanitizers reserve address space by the terabyte
[ -n "${SAN:-}" ] || ulimit -v 524288
ulimit -c 0

for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	for file in "$here/corpus/${name#fuzz_}"/*; do
		test="fuzz ${name#fuzz_}: $(basename "$file")"
		# of CPU time the target alone, by the clock whoever sleeps
		if out=$(ulimit -t 2; timeout 100 "$BUILD/tests/fuzz/$name" "$file" 2>&1); then
			echo "ok $test"
		else
			echo "not ok $test: ended with status $?"
			printf '%s\n' "$out" | grep -vE '^halfclose: ' | head -n 20 | sed 's/^/    /'
			failed=1
		fi
	done
done
exit $failed

# Part of run.sh: closes on stacks that an unwinder can't read.
# shellcheck shell=bash disable=SC2154

for kind in assembly jit nowhere coroutine edge tiny alternate wild smashed overflow; do
	wanted "stack, $kind" || continue
	case $(uname -m) in
	x86_64) ;;
	*) case $kind in assembly | jit | nowhere) skip "stack, $kind" 'made for x86-64'; continue ;; esac ;;
	esac
	host "stack, $kind" stacks "$kind" && { true_to_kernel; finish; }
done
host 'callback of dl_iterate_phdr' phdr && { true_to_kernel; finish; }

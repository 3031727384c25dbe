# Part of run.sh: calls that are cut off. A record may be cut off too.
# shellcheck shell=bash disable=SC2154

host 'cut off, waiting' cut waiting && { true_to_kernel; finish; }
host 'cut off, anywhere' cut anywhere && { report '.lost_events == 0'; finish; }
host 'cut off, jumped out of' cut jump && { report '.lost_events == 0'; finish; }

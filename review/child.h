/* Runs a command as a shell's `time` would: its signals and its status are its own. */
#ifndef REVIEW_CHILD_H
#define REVIEW_CHILD_H

#include <sys/types.h>

/* Runs the program at `path` as argv with these additions ("NAME=value",
 * NULL-terminated) to its environment, and waits for its end. Returns waitpid's
 * status; -1: it could not be executed, and errno says why. */
int child_run(const char *path, char *const *argv, char *const *additions, pid_t *pid);

#endif

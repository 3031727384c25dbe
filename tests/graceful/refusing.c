/*
 * A program under a filter that was there before it, as a container's is.
 *
 *   refusing RULE PROGRAM [ARGUMENT…]     RULE: see tests/fault/refuse.h
 *
 * It is started by execveat, so that execve can be refused.
 */
#include "../fault/refuse.h"
#include "../hosts/net.h"

int main(int argc, char **argv)
{
	static const int errors[] = { EPERM, EACCES, ENOSYS, EAGAIN, ENOMEM, EMFILE, ENFILE };
	must(argc > 2, "usage: refusing RULE PROGRAM");
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (!strncmp(strerrorname_np(errors[i]), argv[1], strcspn(argv[1], " "))) {
			refuse(argv[1], errors[i]);
			syscall(SYS_execveat, AT_FDCWD, argv[2], argv + 2, environ, 0);
			err(127, "%s", argv[2]);
		}
	errx(2, "a rule begins with an error");
}

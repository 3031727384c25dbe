/*
 * A program under a filter that was there before it, as a container's is.
 *
 *   refusing RULE PROGRAM [ARGUMENT…]     RULE: see tests/fault/refuse.h
 *
 * Refused with KILL, a call is the program's last. It is started by execveat, so that execve can be refused.
 */
#include "../fault/refuse.h"
#include "../hosts/net.h"

int main(int argc, char **argv)
{
	static const int errors[] = { EPERM, EACCES, ENOSYS, EAGAIN, ENOMEM, EMFILE, ENFILE };
	must(argc > 2, "usage: refusing RULE PROGRAM");
	bool known = !strncmp(argv[1], "KILL ", 5);
	if (known)
		refuse(argv[1], 0);
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (!known && !strncmp(strerrorname_np(errors[i]), argv[1], strcspn(argv[1], " "))) {
			known = true;
			refuse(argv[1], errors[i]);
		}
	if (!known)
		errx(2, "a rule begins with an error");
	syscall(SYS_execveat, AT_FDCWD, argv[2], argv + 2, environ, 0);
	err(127, "%s", argv[2]);
}

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Written before the handlers are installed. */
static volatile pid_t forward_to;

static void forward(int number)
{
	kill(forward_to, number);
}

/* The terminal sends these to the command itself; we stay to tell how it ended. */
static void take_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN },
			 pass_on = { .sa_handler = forward, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGQUIT, &ignore, NULL);
	sigaction(SIGTERM, &pass_on, NULL);
	sigaction(SIGHUP, &pass_on, NULL);
}

static int is_elf(const char *path)
{
	char magic[4] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, magic, sizeof(magic)) < 0)
		return 0;
	return !memcmp(magic, "\177ELF", sizeof(magic));
}

/* Where whoever started us ignores it, the kernel keeps no status of a child. The
 * command has it as we had it. */
static struct sigaction child_signal;

static void want_status(void)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };

	sigaction(SIGCHLD, &normal, &child_signal);
}

static _Noreturn void be_child(const char *path, char *const *argv, char *const *additions, int report_to,
                               const sigset_t *mask)
{
	int error;

	for (; *additions; additions++)
		putenv(*additions);
	sigaction(SIGCHLD, &child_signal, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execv(path, argv);
	error = errno;
	if (error == ENOEXEC && !is_elf(path)) /* a script without #! is the shell's, as execvp has it */
		execvp(argv[0], argv);
	if (write(report_to, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(126);
}

int child_run(const char *path, char *const *argv, char *const *additions, pid_t *pid)
{
	sigset_t all, mask;
	int report[2], error = 0, status = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask); /* until the child has its own and we have ours */
	want_status();
	*pid = fork();
	if (*pid == 0)
		be_child(path, argv, additions, report[1], &mask);
	error = *pid < 0 ? errno : 0;
	forward_to = *pid;
	if (*pid > 0)
		take_signals();
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(report[1]);
	if (*pid > 0) {
		while (read(report[0], &error, sizeof(error)) < 0 && errno == EINTR)
			;
		while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(report[0]);
	if (error) {
		errno = error;
		return -1;
	}
	return status;
}

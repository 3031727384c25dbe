/*
 * Hosts that look closely at what they have, and hosts that have little: the
 * descriptors, threads and children are the program's own, and no limit, jail
 * or odd standard error makes a difference.
 *
 *   fds list | daemon | talk | memory
 *   fds limits              small limits, then itself again as `talk`
 *   fds stderr KIND | start KIND
 *                           standard error becomes KIND while it runs, or
 *                           before it starts: inet, inet6, unix, no-reader,
 *                           full, closed
 *   fds whole DIRECTORY     a daemon that does all of it, one after the other
 *   fds stack               little stack, and no more processes or threads
 *   fds later               limits its address space while it runs
 *   fds locked-nobody       locks all memory without the right to
 *   fds jail DIRECTORY      chroot there and give up all rights
 *   fds nobody              give up all rights, then itself again as `talk`
 */
#include "net.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/mman.h>

/* Ends connections in ways that are worth a line, and says what came of it. */
static void talk(void)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	for (int i = 0; i < 5; i++) {
		struct pair p = unread(&at);
		say("%d %d: ", p.mine, p.peer);
		close(p.mine);
		say("%s\n", other_end(p.peer));
	}
	close(at.listener);
}

static void say_descriptors(void)
{
	bool there[64] = { false };
	DIR *directory = opendir("/proc/self/fd");
	must(directory, "/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(directory));) {
		int fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && fd < 64 && fd != dirfd(directory))
			there[fd] = true;
	}
	closedir(directory);
	say("descriptors:");
	for (int fd = 0; fd < 64; fd++)
		if (there[fd])
			say(" %d", fd);
	say("\n");
}

static void list(void)
{
	char line[200];
	FILE *status;
	say_descriptors();
	talk();
	say_descriptors();
	must((status = fopen("/proc/self/status", "r")), "status");
	while (fgets(line, sizeof line, status))
		if (!strncmp(line, "Threads", 7) || (!strncmp(line, "Sig", 3) && line[3] != 'Q'))
			say("%s", line);
	fclose(status);
	say("children: %s\n", waitpid(-1, NULL, WNOHANG) < 0 ? strerrorname_np(errno) : "some");
}

static void daemonize(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at), q = unread(&at);
	fflush(NULL);
	pid_t child = fork();
	if (child) {
		close(p.mine), close(p.peer), close(q.mine), close(q.peer);
		say("%x\n", (unsigned)ended(child));
		return;
	}
	int peer = fcntl(p.peer, F_DUPFD, 1100);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	say("%s\n", other_end(peer) ? "done" : "");
	talk();
	say_descriptors();
	exit(0);
}

/* Memory that is just enough without the library is enough with it. */
static void memory(void)
{
	size_t size = 24 << 20;
	void *space = malloc(size);
	say("%s\n", space ? "enough" : "not enough");
	if (space)
		memset(space, 1, size);
	free(space);
	talk();
}

static void run_again(const char *mode)
{
	execl("/proc/self/exe", "fds", mode, NULL);
	err(2, "exec");
}

static void limit(int what, rlim_t most)
{
	struct rlimit both = { most, most };
	must(!setrlimit(what, &both), "setrlimit");
}

static void give_up_rights(void)
{
	must(!setgid(65534) && !setuid(65534), "setuid");
}

/* standard error */

static int reader = -1;

static void make_stderr(const char *kind)
{
	int pipes[2];
	char space[65536] = "";
	if (!strcmp(kind, "closed")) {
		/* the next socket will be standard error */
		close(2);
		return;
	}
	if (!strcmp(kind, "inet6")) {
		struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
		socklen_t size = sizeof name;
		int listener = socket(AF_INET6, SOCK_STREAM, 0), peer = socket(AF_INET6, SOCK_STREAM, 0);
		must(!bind(listener, (void *)&name, size) && !listen(listener, 1) &&
		     !getsockname(listener, (void *)&name, &size) && !connect(peer, (void *)&name, size), "connect");
		int mine = accept(listener, NULL, NULL);
		reader = fcntl(peer, F_DUPFD, 500);
		dup2(mine, 2);
		close(mine), close(peer), close(listener);
		return;
	}
	if (!strcmp(kind, "unix")) {
		must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pipes), "socketpair");
		reader = fcntl(pipes[0], F_DUPFD, 500);
		dup2(pipes[1], 2);
		close(pipes[0]), close(pipes[1]);
		return;
	}
	if (!strcmp(kind, "inet")) {
		struct meeting at = meeting(5, SOCK_CLOEXEC);
		struct pair p = meet(&at);
		reader = fcntl(p.peer, F_DUPFD, 500);
		dup2(p.mine, 2);
		close(p.mine), close(p.peer), close(at.listener);
		return;
	}
	must(!pipe(pipes), "pipe");
	dup2(pipes[1], 2);
	if (!strcmp(kind, "no-reader"))
		close(pipes[0]);
	else
		reader = fcntl(pipes[0], F_DUPFD, 500);
	if (!strcmp(kind, "full")) {
		fcntl(2, F_SETFL, O_NONBLOCK);
		while (write(2, space, sizeof space) > 0)
			;
		fcntl(2, F_SETFL, 0);
	}
	close(pipes[0]), close(pipes[1]);
}

/* Has standard error's other end got a byte of anybody's? */
static void say_what_came(const char *kind)
{
	char byte;
	fcntl(500, F_SETFL, O_NONBLOCK);
	if (!strcmp(kind, "closed")) {
		struct meeting at = meeting(5, 0); /* is 2 */
		say("%d\n", at.listener);
		close(at.listener);
		struct pair p = { 0 };
		at = meeting(5, 0);
		int up = fcntl(at.listener, F_DUPFD, 20);
		close(at.listener);
		at.listener = up;
		p.peer = socket(AF_INET, SOCK_STREAM, 0); /* 2 again: a client's */
		must(!connect(p.peer, (void *)&at.address, sizeof at.address), "connect");
		p.mine = accept(at.listener, NULL, NULL);
		talk();
		say("%d, came: %s\n", p.peer, recv(p.mine, &byte, 1, MSG_DONTWAIT) < 0 ? strerrorname_np(errno) : "a byte");
	} else if (strcmp(kind, "no-reader") && strcmp(kind, "full"))
		say("came: %s\n", recv(500, &byte, 1, MSG_DONTWAIT) < 0 ? strerrorname_np(errno) : "a byte");
	else
		say("still there\n");
}

/* A daemon as they come: closes all that it may have, shuts itself into a
 * directory, gives up its rights, limits itself, forgets its environment, and
 * starts itself again, each step with sockets that live on. */
static void whole_daemon(const char *jail)
{
	int self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct meeting at = meeting(20, 0);
	struct pair kept = unread(&at), ended_by_exec = unread(&at);
	self = fcntl(self, F_DUPFD_CLOEXEC, 1100);
	int peer = fcntl(kept.peer, F_DUPFD, 1101), other = fcntl(ended_by_exec.peer, F_DUPFD, 1102);
	int mine = fcntl(kept.mine, F_DUPFD, 1103);
	fcntl(ended_by_exec.mine, F_DUPFD_CLOEXEC, 1104);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	say_descriptors();
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CORE, 0);
	say("%d ", setsid() < 0 ? errno : 0);
	must(!chroot(jail) && !chdir("/"), "chroot");
	give_up_rights();
	limit(RLIMIT_NPROC, 0);
	talk();
	must(!clearenv(), "clearenv");
	limit(RLIMIT_NOFILE, 1200);
	char number[3][12];
	int fds[] = { mine, peer, other };
	for (int i = 0; i < 3; i++)
		snprintf(number[i], sizeof number[i], "%d", fds[i]);
	char *argv[] = { (char[]){ "fds" }, (char[]){ "again" }, number[0], number[1], number[2], NULL }, *none[] = { NULL };
	fexecve(self, argv, none);
	err(2, "fexecve");
}

static void again(char **fds)
{
	say("environment: %s\n", environ && *environ ? *environ : "none");
	say("%s\n", other_end(atoi(fds[2])));
	close(atoi(fds[0]));
	say("%s\n", other_end(atoi(fds[1])));
	talk();
	say_descriptors();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *more = argc > 2 ? argv[2] : "";
	alarm(150);
	if (!strcmp(mode, "list"))
		list();
	else if (!strcmp(mode, "daemon"))
		daemonize();
	else if (!strcmp(mode, "talk"))
		talk();
	else if (!strcmp(mode, "memory"))
		memory();
	else if (!strcmp(mode, "limits")) {
		limit(RLIMIT_FSIZE, 0);
		limit(RLIMIT_NOFILE, 8);
		limit(RLIMIT_CORE, 0);
		run_again("talk");
	} else if (!strcmp(mode, "address-space")) {
		limit(RLIMIT_AS, 48 << 20);
		run_again("memory");
	} else if (!strcmp(mode, "data")) {
		limit(RLIMIT_DATA, 32 << 20);
		run_again("memory");
	} else if (!strcmp(mode, "locked")) {
		say("%d\n", mlockall(MCL_CURRENT | MCL_FUTURE));
		struct rusage usage;
		getrusage(RUSAGE_SELF, &usage);
		say("resident: %s\n", usage.ru_maxrss < 128 << 10 ? "little" : "much");
		talk();
	} else if (!strcmp(mode, "stderr")) {
		make_stderr(more);
		talk();
		say_what_came(more);
	} else if (!strcmp(mode, "start")) {
		make_stderr(more);
		execl("/proc/self/exe", "fds", "started", more, NULL);
	} else if (!strcmp(mode, "started")) {
		talk();
		say_what_came(more);
	} else if (!strcmp(mode, "jail")) {
		must(!chroot(more) && !chdir("/"), "chroot");
		give_up_rights();
		talk();
	} else if (!strcmp(mode, "whole")) {
		whole_daemon(more);
	} else if (!strcmp(mode, "again") && argc > 4) {
		again(argv + 2);
	} else if (!strcmp(mode, "stack")) {
		limit(RLIMIT_STACK, 128 << 10);
		if (geteuid())
			limit(RLIMIT_NPROC, 0);
		run_again("memory");
	} else if (!strcmp(mode, "later")) {
		talk();
		limit(RLIMIT_AS, 64 << 20);
		memory();
	} else if (!strcmp(mode, "locked-nobody")) {
		limit(RLIMIT_MEMLOCK, 8 << 20);
		give_up_rights();
		say("%d\n", mlockall(MCL_CURRENT) ? errno : 0);
		talk();
		memory();
	} else if (!strcmp(mode, "nobody")) {
		give_up_rights();
		run_again("talk");
	} else {
		return 2;
	}
	return 0;
}

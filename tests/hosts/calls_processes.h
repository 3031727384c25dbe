/* The rows that deal with messages and processes; a part of calls.c. */

union control {
	char bytes[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr aligned;
};

static struct msghdr message(struct iovec *text, union control *control, int fd)
{
	struct msghdr message = { .msg_iov = text, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = CMSG_SPACE(sizeof fd) };
	memset(control, 0, sizeof *control);
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(part), &fd, sizeof fd);
	return message;
}

/* The right that came, given back; and what the kernel says of the rest. */
static void say_right(const struct msghdr *got)
{
	int fd = -1;
	if (CMSG_FIRSTHDR(got))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(got)), sizeof fd);
	say("  right %d, control %zu, flags %x\n", fd, got->msg_controllen, got->msg_flags);
	if (fd >= 0)
		close(fd);
}

static ssize_t send_one(int fd, const struct msghdr *m, int flags) { return p_sendmsg(fd, m, flags); }
static ssize_t send_many(int fd, const struct msghdr *m, int flags)
{
	struct mmsghdr one = { .msg_hdr = *m };
	return p_sendmmsg(fd, &one, 1, flags);
}
static ssize_t get_one(int fd, struct msghdr *m, int flags) { return p_recvmsg(fd, m, flags); }
static ssize_t get_many(int fd, struct msghdr *m, int flags)
{
	struct mmsghdr one = { .msg_hdr = *m };
	int n = p_recvmmsg(fd, &one, 1, flags, NULL);
	*m = one.msg_hdr;
	return n;
}

static bool send_byte(int fd) { return send(fd, "!", 1, 0) == 1; }

static void messages(ssize_t (*send_it)(int, const struct msghdr *, int), ssize_t (*get)(int, struct msghdr *, int))
{
	int way[2], fd = tcp(0);
	char byte = 'x';
	struct iovec text = { &byte, 1 };
	union control control;
	struct msghdr m = message(&text, &control, fd), plain = { .msg_iov = &text, .msg_iovlen = 1 }, got;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, way), "socketpair");
	TRY(send_it(-1, &plain, 0));
	TRY(send_it(way[0], &plain, 0));
	TRY(send_it(way[0], &m, 0));
	TRY(send_it(way[0], &m, 0));
	got = plain;
	TRY(get(way[1], &got, MSG_DONTWAIT));
	got = message(&text, &control, -1);
	TRY(get(way[1], &got, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)); say_right(&got);
	got = plain; /* no room for the right: it is dropped */
	TRY(get(way[1], &got, MSG_DONTWAIT)); say_right(&got);
	TRY(get(way[1], &got, MSG_DONTWAIT));
	TRY(get(-1, &got, 0));
	m = message(&text, &control, fd);
	TRY(send_it(way[0], &m, 0));
	got = message(&text, &control, -1);
	FULL(TRY(get(way[1], &got, MSG_DONTWAIT))); say_right(&got);
	got = plain;
	INTERRUPTED(TRY(get(way[1], &got, 0)));
	RESTARTED(TRY(get(way[1], &got, 0)), send_byte, way[0]);
	m = message(&text, &control, 999);
	TRY(send_it(way[0], &m, 0));
	m.msg_control = bad;
	TRY(send_it(way[0], &m, 0));
	close(way[1]);
	TRY(send_it(way[0], &plain, MSG_NOSIGNAL));
	close(way[0]), close(fd);
}

void test_sendmsg(void)
{
	messages(send_one, recvmsg);
	TRY(p_sendmsg(-1, NULL, 0));
	TRY(p_sendmsg(1, (void *)bad, 0));
}
void test_recvmsg(void)
{
	int fd = tcp(0);
	messages(sendmsg, get_one);
	TRY(p_recvmsg(fd, NULL, 0));
	TRY(p_recvmsg(fd, (void *)bad, 0));
	close(fd);
}
void test_sendmmsg(void)
{
	int fd = tcp(0);
	messages(send_many, recvmsg);
	TRY(p_sendmmsg(fd, NULL, 0, 0));
	TRY(p_sendmmsg(fd, (void *)bad, 1, 0));
	close(fd);
}
void test_recvmmsg(void)
{
	int fd = tcp(0);
	messages(sendmsg, get_many);
	TRY(p_recvmmsg(fd, (void *)bad, 1, 0, NULL));
	TRY(p_recvmmsg(fd, NULL, 1, 0, (void *)bad));
	close(fd);
}

/* processes */

/* Where no process can be made: in a PID namespace whose first has ended. */
static void barren(void (*attempt)(void))
{
	pid_t child = fork();
	if (!child) {
		if (unshare(CLONE_NEWPID))
			_exit(8);
		child = fork();
		if (!child)
			_exit(0);
		ended(child);
		attempt();
		_exit(0);
	}
	say("  where none can be made: %x\n", (unsigned)ended(child));
	tally("p_", true);
}

static void forks(pid_t (*function)(void))
{
	errno = 77;
	pid_t child = function();
	if (!child)
		_exit(getppid() > 1 && errno == 77 ? 3 : 4);
	tally("p_", false);
	say("  child: %x, errno %d\n", (unsigned)ended(child), errno);
}
static void try_fork(void) { TRY(p_fork()); TRY(p_fork()); }
static void try__Fork(void) { TRY(p__Fork()); TRY(p__Fork()); }
void test_fork(void) { forks(p_fork); barren(try_fork); }
void test__Fork(void) { forks(p__Fork); barren(try__Fork); }

static char *const shell[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit ${STATUS:-6}" }, NULL };
static char *const seven[] = { (char[]){ "STATUS=7" }, (char[]){ "PATH=/bin:/usr/bin" }, NULL };

static void spawns(int (*function)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
				   char *const[], char *const[]), const char *path)
{
	pid_t child;
	posix_spawn_file_actions_t actions;
	TRY(function(&child, path, NULL, NULL, shell, seven));
	say("  %x\n", (unsigned)ended(child));
	TRY(function(&child, "/nonexistent", NULL, NULL, shell, seven));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, 0);
	posix_spawn_file_actions_adddup2(&actions, 1, 0);
	TRY(function(&child, path, &actions, NULL, shell, seven));
	say("  %x\n", (unsigned)ended(child));
	tally("p_", false);
	posix_spawn_file_actions_destroy(&actions);
}
static void try_posix_spawn(void) { pid_t child = -5; TRY(p_posix_spawn(&child, "/bin/sh", NULL, NULL, shell, seven)); }
static void try_posix_spawnp(void) { pid_t child = -5; TRY(p_posix_spawnp(&child, "sh", NULL, NULL, shell, seven)); }
void test_posix_spawn(void)
{
	spawns(p_posix_spawn, "/bin/sh");
	barren(try_posix_spawn);
	TRY_IF(p_posix_spawn(NULL, "/bin/true", NULL, NULL, shell, seven));
	ended(-1);
	CHILD(p_posix_spawn(NULL, NULL, NULL, NULL, shell, seven));
	/* these give the error back and leave errno */
	tally("p_", true);
}
void test_posix_spawnp(void)
{
	spawns(p_posix_spawnp, "sh");
	barren(try_posix_spawnp);
	tally("p_", true);
}

/* a child that only its descriptor names */
static void pidfd_spawns(int (*function)(int *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
					 char *const[], char *const[]), const char *path)
{
	int pidfd = -5;
	TRY(function(&pidfd, "/nonexistent", NULL, NULL, shell, seven));
	say("  %d\n", pidfd);
	TRY(function(&pidfd, path, NULL, NULL, shell, seven));
	say("  descriptor %d: %x\n", pidfd, (unsigned)ended(-1));
	close(pidfd);
	tally("p_", false);
}
static void try_pidfd_spawn(void) { int pidfd = -5; TRY(p_pidfd_spawn(&pidfd, "/bin/sh", NULL, NULL, shell, seven)); }
static void try_pidfd_spawnp(void) { int pidfd = -5; TRY(p_pidfd_spawnp(&pidfd, "sh", NULL, NULL, shell, seven)); }
void test_pidfd_spawn(void)
{
	pidfd_spawns(p_pidfd_spawn, "/bin/sh");
	barren(try_pidfd_spawn);
	tally("p_", true);
}
void test_pidfd_spawnp(void)
{
	pidfd_spawns(p_pidfd_spawnp, "sh");
	barren(try_pidfd_spawnp);
	tally("p_", true);
}

static void try_popen(void) { TRY_IF(p_popen("true", "r")); }
void test_popen(void)
{
	char line[20] = "";
	FILE *from;
	TRY_IF(from = p_popen("echo said; exit 3", "re"));
	must(fgets(line, sizeof line, from), "fgets");
	say("  %s  %x\n", line, (unsigned)pclose(from));
	TRY_IF(p_popen("true", "nonsense"));
	FULL(TRY_IF(p_popen("true", "r")));
	barren(try_popen);
}

static void try_system(void) { TRY(p_system("exit 3")); }
void test_system(void)
{
	TRY(p_system("exit 3"));
	TRY(p_system("kill -9 $$"));
	TRY(p_system("/nonexistent 2>/dev/null"));
	TRY(p_system(NULL));
	barren(try_system);
	signal(SIGCHLD, SIG_IGN);
	TRY(p_system("exit 3"));
	signal(SIGCHLD, SIG_DFL);
}

void test_execve(void)
{
	TRY(p_execve("/nonexistent", shell, seven));
	TRY(p_execve((void *)bad, shell, seven));
	TRY(p_execve("/bin/sh", (void *)bad, seven));
	TRY(p_execve("/dev/null", shell, seven));
	TRY(p_execve(NULL, shell, seven));
	TRY(p_execve("/bin", shell, seven));
	TRY(p_execve("/dev/null/x", shell, seven));
	TRY(p_execve("/proc/self/status", shell, seven));
	CHILD(p_execve("/bin/sh", shell, seven));
}
void test_execveat(void)
{
	TRY(p_execveat(AT_FDCWD, "/nonexistent", shell, seven, 0));
	TRY(p_execveat(-1, "x", shell, seven, 0));
	TRY(p_execveat(AT_FDCWD, "/bin/sh", shell, seven, 1 << 30));
	CHILD(p_execveat(AT_FDCWD, "/bin/sh", shell, seven, 0));
}
void test_execv(void)
{
	TRY(p_execv("/nonexistent", shell));
	CHILD(p_execv("/bin/sh", shell));
}
void test_execvp(void)
{
	TRY(p_execvp("nonexistent", shell));
	CHILD(p_execvp("sh", shell));
}
void test_execvpe(void)
{
	TRY(p_execvpe("nonexistent", shell, seven));
	CHILD(p_execvpe("sh", shell, seven));
}
void test_fexecve(void)
{
	int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	TRY(p_fexecve(-1, shell, seven));
	CHILD(p_fexecve(fd, shell, seven));
	close(fd);
}
void test_execl(void)
{
	TRY(p_execl("/nonexistent", "x", NULL));
	TRY(p_execl(NULL, "x", NULL));
	CHILD(p_execl("/bin/sh", "sh", "-c", "exit $4$3", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL));
	CHILD(p_execl("/bin/true", NULL, NULL));
}
void test_execlp(void)
{
	TRY(p_execlp("nonexistent", "x", NULL));
	CHILD(p_execlp("sh", "sh", "-c", "exit $#", "0", "1", "2", NULL));
}
void test_execle(void)
{
	TRY(p_execle("/nonexistent", "x", NULL, seven));
	CHILD(p_execle("/bin/sh", "sh", "-c", "exit $STATUS$1", "0", "1", NULL, seven));
}

void test_unshare(void)
{
	TRY(p_unshare(0));
	TRY(p_unshare(-1));
	TRY(p_unshare(CLONE_FILES));
	CHILD(_exit(!p_unshare(CLONE_NEWNET) && !p_unshare(CLONE_NEWNS | CLONE_FILES) ? 0 : errno));
}

static void at_quick_exit_end(void) { say("  handler\n"); }
void test_exit(void) { CHILD(p_exit(259)); CHILD(p_exit(-1)); }
void test__exit(void) { CHILD(p__exit(5)); }
void test__Exit(void) { CHILD(p__Exit(5)); }
void test_quick_exit(void) { CHILD(at_quick_exit(at_quick_exit_end); p_quick_exit(5)); }

static int clone_main(void *argument) { return *(int *)argument; }
static void try_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	TRY(p_clone(clone_main, stack + sizeof stack, SIGCHLD, NULL, NULL, NULL, NULL));
}
void test_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int value = 11;
	pid_t child = p_clone(clone_main, stack + sizeof stack, SIGCHLD, &value, NULL, NULL, NULL);
	tally("p_", child < 0);
	say("  %x\n", (unsigned)ended(child));
	child = p_clone(clone_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &value, NULL, NULL, NULL);
	say("  %x\n", (unsigned)ended(child));
	barren(try_clone);
	TRY(p_clone(NULL, stack + sizeof stack, SIGCHLD, &value, NULL, NULL, NULL));
	TRY(p_clone(clone_main, NULL, SIGCHLD, &value, NULL, NULL, NULL));
	TRY(p_clone(clone_main, stack + sizeof stack, CLONE_SIGHAND | SIGCHLD, &value, NULL, NULL, NULL));
}

void test_prctl(void)
{
	char name[16] = "";
	TRY(p_prctl(PR_SET_NAME, (unsigned long)"fourteen bytes", 0, 0, 0));
	TRY(p_prctl(PR_GET_NAME, (unsigned long)name, 0, 0, 0));
	say("  %s\n", name);
	TRY(p_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	TRY(p_prctl(-1, 0, 0, 0, 0));
	TRY(p_prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	TRY(p_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0));
	TRY(p_prctl(PR_SET_SECCOMP, 77, 0, 0, 0));
}

#define SYSCALL(number, ...) SYSCALL_(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SYSCALL_(number, a, b, c, d, e, f, ...) \
	p_syscall(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
void test_syscall(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	int fd, null = null_device();
	TRY_IF(SYSCALL(SYS_getpid, 0) == getpid());
	TRY(SYSCALL(99999, 0));
	TRY(SYSCALL(SYS_close, -1));
	TRY(SYSCALL(SYS_close, p.mine));
	TRY(SYSCALL(SYS_close, p.mine));
	say("  %s\n", other_end(p.peer));
	TRY(fd = (int)SYSCALL(SYS_socket, AF_INET, SOCK_STREAM, 0));
	TRY(SYSCALL(SYS_connect, fd, bad, 16));
	TRY(SYSCALL(SYS_connect, fd, &at.address, sizeof at.address));
	TRY(SYSCALL(SYS_shutdown, fd, SHUT_WR));
	TRY(SYSCALL(SYS_shutdown, -1, SHUT_WR));
	TRY(SYSCALL(SYS_dup, fd));
	TRY(SYSCALL(SYS_dup3, null, fd, 1 << 30));
	TRY(SYSCALL(SYS_dup3, null, fd, 0));
	TRY(SYSCALL(SYS_close_range, 9, 3, 0));
	TRY(SYSCALL(SYS_close_range, 8, 20, 0));
	TRY(fd = (int)SYSCALL(SYS_accept4, at.listener, 0, 0, SOCK_CLOEXEC));
	TRY(SYSCALL(SYS_accept4, at.listener, 0, 0, 1 << 30));
	TRY(SYSCALL(SYS_close_range, 3, 100, 0));
	TRY(SYSCALL(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, bad));
	TRY(SYSCALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0));
	TRY(SYSCALL(SYS_prctl, PR_GET_SECCOMP, 0));
	CHILD(SYSCALL(SYS_exit_group, 259));
	long page = SYSCALL(SYS_mmap, 0, 4096, 3, 0x22, -1, 0);
	TRY_IF(page != -1 && !SYSCALL(SYS_munmap, page, 4096));
}

/* The rows that end or copy descriptors; a part of calls.c. */

void test_close(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	TRY(p_close(p.mine));
	TRY(p_close(p.mine));
	say("  %s\n", other_end(p.peer));
	TRY(p_close(at.listener));
	TRY(p_close(-1));
	TRY(p_close(1 << 20));
	TRY(p_close(INT_MAX));
	TRY(p_close(null_device()));
}

void test_fclose(void)
{
	char *text = NULL;
	size_t size;
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	TRY(p_fclose(fdopen(p.mine, "r+")));
	say("  %s\n", other_end(p.peer));
	TRY(p_fclose(fopen("/dev/null", "r")));
	TRY(p_fclose(open_memstream(&text, &size)));
	TRY(p_fclose(fmemopen(NULL, 10, "w")));
	FILE *full = fopen("/dev/full", "w");
	putc('x', full);
	TRY(p_fclose(full));
	FILE *stale = fopen("/dev/null", "r");
	close(fileno(stale));
	TRY(p_fclose(stale));
	CHILD(p_fclose(NULL));
	free(text), close(at.listener);
}

static void reopens(FILE *(*function)(const char *, const char *, FILE *))
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at), q = unread(&at);
	FILE *stream = fdopen(p.mine, "r");
	TRY_IF(stream = function("/dev/null", "r", stream));
	say("  %d %s\n", fileno(stream), other_end(p.peer));
	TRY_IF(stream = function("/dev/zero", "r", stream));
	TRY_IF(function("/nonexistent/path", "r", stream));
	TRY_IF(stream = fdopen(q.mine, "r"));
	TRY_IF(function(NULL, "w", stream));
	say("  %s\n", other_end(q.peer));
	p = unread(&at);
	stream = fdopen(p.mine, "r");
	FULL(TRY_IF(function("/dev/null", "r", stream)));
	say("  %s\n", other_end(p.peer));
	TRY(fcntl(p.mine, F_GETFD));
	CHILD(function("/dev/null", "r", NULL));
	CHILD(function("/dev/null", NULL, fdopen(0, "r")));
	close(at.listener);
}
void test_freopen(void) { reopens(p_freopen); }
void test_freopen64(void) { reopens(p_freopen64); }

void test_close_range(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	TRY(p_close_range(9, 3, 0));
	TRY(p_close_range(500, 600, 1 << 20));
	TRY(p_close_range(500, ~0u, 0));
	TRY(p_close_range((unsigned)p.mine, (unsigned)p.mine, 0));
	TRY(p_close(p.mine));
	say("  %s\n", other_end(p.peer));
	close(at.listener);
}

void test_closefrom(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	int up = fcntl(p.mine, F_DUPFD, 300);
	close(p.mine);
	TRY((p_closefrom(200), 0));
	CHILD((p_closefrom(-1), _exit(close(1) ? 3 : 4)));
	TRY(p_close(up));
	say("  %s\n", other_end(p.peer));
	close(at.listener);
}

void test_dup(void)
{
	int fd = tcp(0), copy;
	TRY(copy = p_dup(fd));
	TRY(p_dup(-1));
	TRY(p_dup(1 << 20));
	FULL(TRY(p_dup(fd)));
	close(fd), close(copy);
}

void test_dup2(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	int null = null_device();
	TRY(p_dup2(null, -1));
	TRY(p_dup2(null, 1 << 30));
	TRY(p_dup2(-1, p.mine));
	TRY(p_dup2(p.mine, p.mine));
	TRY(p_dup2(999, 999));
	FULL(TRY(p_dup2(null, 1000)));
	TRY(p_dup2(null, p.mine));
	say("  %s\n", other_end(p.peer));
	close(null), close(p.mine), close(at.listener);
}

void test_dup3(void)
{
	struct meeting at = meeting(5, 0);
	struct pair p = unread(&at);
	int null = null_device();
	TRY(p_dup3(null, -1, 0));
	TRY(p_dup3(-1, p.mine, 0));
	TRY(p_dup3(null, p.mine, 1 << 30));
	TRY(p_dup3(p.mine, p.mine, 0));
	FULL(TRY(p_dup3(null, 1000, 0)));
	TRY(p_dup3(null, p.mine, O_CLOEXEC));
	TRY(fcntl(p.mine, F_GETFD));
	say("  %s\n", other_end(p.peer));
	close(null), close(p.mine), close(at.listener);
}

static int locked;
static bool unlock(int pid) { return !kill((pid_t)pid, SIGTERM); }

/* A lock that another process has. */
static void lock_waits(int (*function)(int fd, int command, void *argument))
{
	struct flock whole = { .l_type = F_WRLCK };
	int ready[2];
	char byte;
	locked = memfd_create("lock", MFD_CLOEXEC);
	must(locked >= 0 && !pipe(ready), "memfd_create");
	pid_t child = fork();
	if (!child) {
		must(!fcntl(locked, F_SETLK, &whole) && write(ready[1], "", 1) == 1, "lock");
		pause();
	}
	must(read(ready[0], &byte, 1) == 1, "read");
	TRY(function(locked, F_SETLK, &whole));
	INTERRUPTED(TRY(function(locked, F_SETLKW, &whole)));
	RESTARTED(TRY(function(locked, F_SETLKW, &whole)), unlock, child);
	ended(child);
	close(locked), close(ready[0]), close(ready[1]);
}

static void controls(int (*function)(int fd, int command, void *argument))
{
	int fd = tcp(0), copy;
	TRY(function(fd, F_SETFD, (void *)FD_CLOEXEC));
	TRY(function(fd, F_GETFD, NULL));
	TRY(function(fd, F_SETFL, (void *)O_NONBLOCK));
	TRY(function(fd, F_GETFL, NULL));
	TRY(copy = function(fd, F_DUPFD, (void *)50)); close(copy);
	TRY(copy = function(fd, F_DUPFD_CLOEXEC, (void *)60)); close(copy);
	TRY(function(fd, F_DUPFD, (void *)-1L));
	TRY(function(fd, F_GETLK, bad));
	TRY(function(fd, 9999, NULL));
	TRY(function(-1, F_GETFD, NULL));
	TRY(function(-1, F_DUPFD, NULL));
	FULL(TRY(function(fd, F_DUPFD, NULL)));
	FULL(TRY(function(fd, F_DUPFD_CLOEXEC, NULL)));
	lock_waits(function);
	close(fd);
}
void test_fcntl(void) { controls(p_fcntl); }
void test_fcntl64(void) { controls(p_fcntl64); }

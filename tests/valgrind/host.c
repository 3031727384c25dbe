/*
 * Some of all that a program does with connections, once or a few times each,
 * for a run under valgrind: threads, copies, processes, warnings, ends of every
 * kind, and an exit with a connection open. It says how many resets of its own
 * making each way has seen at the other end.
 */
#include "../hosts/net.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>

enum { THREADS = 4, ROUNDS = 10 };

static struct meeting server;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* one listener, and each its own peer */

static struct pair mine_unread(void)
{
	pthread_mutex_lock(&turn);
	struct pair pair = unread(&server);
	pthread_mutex_unlock(&turn);
	return pair;
}

static void tell(const char *way, struct pair pair)
{
	say("%s: %s\n", way, other_end(pair.peer));
}

static void *reset_many(void *resets)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct pair pair = mine_unread();
		close(pair.mine);
		*(int *)resets += !strcmp(other_end(pair.peer), "ECONNRESET");
	}
	return NULL;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	int resets[THREADS] = { 0 }, sum = 0;
	for (int i = 0; i < THREADS; i++)
		must(!pthread_create(&thread[i], NULL, reset_many, &resets[i]), "pthread_create");
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		sum += resets[i];
	}
	say("threads: %d resets\n", sum);
}

static void copies(void)
{
	struct pair pair = mine_unread(), other = mine_unread();
	int copy = dup(pair.mine), third = fcntl(copy, F_DUPFD_CLOEXEC, 100);
	close(pair.mine);
	close(copy);
	close(third);
	tell("dup", pair);
	must(dup2(open("/dev/null", O_RDONLY), other.mine) == other.mine, "dup2");
	tell("dup2 onto", other);
	close(other.mine);
}

static void streams(void)
{
	struct pair pair = mine_unread();
	FILE *stream = fdopen(pair.mine, "r+");
	must(stream && !fclose(stream), "fclose");
	tell("fclose", pair);
	pair = meet(&server);
	stream = fdopen(pair.mine, "w");
	must(stream && freopen("/dev/null", "w", stream) == stream && !fclose(stream), "freopen");
	tell("freopen", pair);
}

static void orderly(void)
{
	struct linger now = { 1, 0 };
	struct pair pair = meet(&server);
	shutdown(pair.mine, SHUT_WR);
	tell("half-close", pair);
	close(pair.mine);
	pair = meet(&server);
	setsockopt(pair.mine, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(pair.mine);
	tell("linger 0", pair);
	pair = mine_unread();
	close_range((unsigned)pair.mine, (unsigned)pair.mine, 0);
	tell("close_range", pair);
}

/* A descriptor goes out and comes in again. */
static void messages(void)
{
	struct pair pair = mine_unread();
	int ends[2], got;
	char byte = '!', space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec text = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &text, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space,
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &pair.mine, sizeof(int));
	must(sendmsg(ends[0], &message, 0) == 1 && recvmsg(ends[1], &message, 0) == 1, "messages");
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
	close(pair.mine);
	close(got);
	close(ends[0]);
	close(ends[1]);
	tell("message", pair);
}

static void processes(void)
{
	struct pair pair = mine_unread(), left = mine_unread();
	char *arguments[] = { "true", NULL }, *nothing[] = { NULL };
	pid_t child = fork();
	if (!child) {
		close(pair.mine);
		close(left.mine);
		_exit(3);
	}
	say("fork: %d\n", WEXITSTATUS(ended(child)));
	close(pair.mine);
	tell("fork", pair);
	must(!posix_spawn(&child, "/bin/true", NULL, NULL, arguments, nothing), "posix_spawn");
	ended(child);
	close(left.mine);
	tell("spawn", left);
}

static int in_handler;

static void close_there(int number)
{
	(void)number;
	close(in_handler);
}

int main(void)
{
	server = meeting(50, SOCK_CLOEXEC);
	threads();
	copies();
	streams();
	orderly();
	messages();
	processes();
	struct pair pair = mine_unread();
	in_handler = pair.mine;
	signal(SIGUSR1, close_there);
	raise(SIGUSR1);
	tell("handler", pair);
	mine_unread(); /* left to exit, its peer, too */
	return 0;
}

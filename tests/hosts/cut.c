/*
 * Calls that are cut off: threads that are cancelled while they wait, or at any
 * moment at all (asynchronously), and signal handlers that jump out of whatever
 * was going on. Nothing may be left behind that a later call, thread or child
 * trips over.
 *
 *   cut waiting | anywhere | jump
 */
#include "net.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

static struct meeting at;
static int first_free; /* of the numbers, when nothing is open but what stays */

static void clean(void *done) { *(bool *)done = true; }

/* What works before works after. */
static void go_on(void)
{
	for (int i = 0; i < 5; i++) {
		struct pair p = unread(&at);
		int copy = dup(p.mine);
		close(p.mine);
		say("%d ", close(copy));
		say("%s, ", other_end(p.peer));
	}
	pid_t child = fork();
	if (!child) {
		struct pair p = unread(&at);
		close(p.mine);
		_exit(!strcmp(other_end(p.peer), "ECONNRESET") ? 3 : 4);
	}
	say("%x\n", (unsigned)ended(child));
}

/* waiting */

static int way[2], lock_file;

static void *wait_recvmsg(void *done)
{
	struct msghdr nothing = { 0 };
	pthread_cleanup_push(clean, done);
	recvmsg(way[0], &nothing, 0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_recvmmsg(void *done)
{
	struct mmsghdr nothing = { 0 };
	pthread_cleanup_push(clean, done);
	recvmmsg(way[0], &nothing, 1, 0, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_sendmsg(void *done)
{
	static char much[1 << 16];
	struct iovec text = { much, sizeof much };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };
	pthread_cleanup_push(clean, done);
	while (sendmsg(way[0], &message, 0) > 0)
		;
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_fcntl(void *done)
{
	struct flock whole = { .l_type = F_WRLCK };
	pthread_cleanup_push(clean, done);
	fcntl(lock_file, F_SETLKW, &whole);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_system(void *done)
{
	pthread_cleanup_push(clean, done);
	(void)!system("exec sleep 30"); /* the shell itself, which is what is killed */
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_accept_with_address(void *done)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	pthread_cleanup_push(clean, done);
	accept4(at.listener, (void *)&peer, &size, SOCK_CLOEXEC);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(const char *name, void *(*run)(void *), unsigned pause)
{
	bool done = false;
	pthread_t thread;
	void *result;
	must(!pthread_create(&thread, NULL, run, &done), "pthread_create");
	usleep(pause); /* whether it waits yet makes no difference to what is said */
	pthread_cancel(thread);
	must(!pthread_join(thread, &result), "pthread_join");
	if (name)
		say("%s: %s, %s\n", name, result == PTHREAD_CANCELED ? "cancelled" : "ran to its end", done ? "cleaned" : "not");
}

static void waiting(void)
{
	struct flock whole = { .l_type = F_WRLCK };
	int ready[2];
	char byte;
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, way) && !pipe(ready), "socketpair");
	lock_file = memfd_create("lock", MFD_CLOEXEC);
	pid_t child = fork();
	if (!child) {
		must(!fcntl(lock_file, F_SETLK, &whole) && write(ready[1], "", 1) == 1, "lock");
		pause();
	}
	must(read(ready[0], &byte, 1) == 1, "read");
	for (unsigned pause = 0; pause < 20000; pause += 10000) {
		cancel("recvmsg", wait_recvmsg, pause);
		cancel("recvmmsg", wait_recvmmsg, pause);
		cancel("sendmsg", wait_sendmsg, pause);
		cancel("fcntl", wait_fcntl, pause);
		cancel("accept4", wait_accept_with_address, pause);
		cancel("system", wait_system, pause);
	}
	kill(child, SIGKILL);
	ended(child);
	go_on();
}

/* anywhere */

static void end_in_turn(void)
{
	for (int i = 0;; i++) {
		struct pair p = { .peer = socket(AF_INET, SOCK_STREAM, 0) };
		connect(p.peer, (void *)&at.address, sizeof at.address);
		send(p.peer, "?", 1, MSG_NOSIGNAL);
		p.mine = accept(at.listener, NULL, NULL);
		int copy = dup(p.mine);
		dup2(p.peer, copy);
		shutdown(p.mine, SHUT_WR);
		close(p.mine);
		close_range((unsigned)copy, (unsigned)copy, 0);
		close(p.peer);
	}
}

static void *end_until_cancelled(void *done)
{
	pthread_cleanup_push(clean, done);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	end_in_turn();
	pthread_cleanup_pop(0);
	return NULL;
}

/* An accept that nobody will wait for is not left to the next round. */
static void tidy(void)
{
	close_range((unsigned)first_free, ~0u, 0);
	close(at.listener);
	at = meeting(5, 0);
}

static void anywhere(void)
{
	unsigned seed = 1;
	for (int i = 0; i < 200; i++) {
		cancel(i ? NULL : "anywhere", end_until_cancelled, (unsigned)rand_r(&seed) % 400);
		tidy();
	}
	go_on();
}

static sigjmp_buf out;
static void leave(int number)
{
	(void)number;
	siglongjmp(out, 1);
}

static void jump(void)
{
	volatile unsigned seed = 1;
	signal(SIGALRM, leave);
	for (volatile int i = 0; i < 1000; i++) {
		unsigned next = seed;
		struct itimerval once = { { 0, 0 }, { 0, 20 + rand_r(&next) % 300 } };
		seed = next;
		if (!sigsetjmp(out, 1)) {
			setitimer(ITIMER_REAL, &once, NULL);
			end_in_turn();
		}
		if (i % 10 == 0)
			tidy();
	}
	tidy();
	go_on();
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	at = meeting(5, 0);
	first_free = dup(1);
	close(first_free);
	if (!strcmp(how, "waiting"))
		waiting();
	else if (!strcmp(how, "anywhere"))
		anywhere();
	else if (!strcmp(how, "jump"))
		jump();
	else
		return 2;
	return 0;
}

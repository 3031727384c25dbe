/*
 * Ends in a signal handler, at random moments of a program that is at the same;
 * and threads that are cancelled at close, accept and connect, where cleanup
 * handlers must find the descriptor as they would without the library.
 */
#include "net.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static struct meeting at;
static struct meeting its; /* the handler's */
static volatile sig_atomic_t handled, enough;

/* Each sets the time for the next: however long one takes, the program goes on in between. */
static void soon(void)
{
	struct itimerval once = { { 0, 0 }, { 0, 300 } };
	must(!setitimer(ITIMER_REAL, &once, NULL), "setitimer");
}

static void end_some(int number)
{
	int kept = errno;
	struct pair p = unread(&its);
	(void)number;
	close(p.mine);
	close(p.peer);
	handled++;
	if (!enough)
		soon();
	errno = kept;
}

static void at_random_moments(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = end_some, .sa_flags = SA_RESTART };
	sigaction(SIGALRM, &action, NULL);
	soon();
	for (int i = 0; i < 2000 || handled < 500; i++) {
		struct pair p = i % 2 ? meet(&at) : unread(&at);
		int copy = dup(p.mine);
		close(p.mine);
		close(copy);
		close(p.peer);
	}
	enough = 1;
	setitimer(ITIMER_REAL, &never, NULL);
	say("handled\n");
}

/* cancellation */

struct victim {
	int fd;
	_Atomic bool cleaned;
	void (*call)(int fd);
};

static void clean(void *argument)
{
	struct victim *victim = argument;
	say("  cleanup: descriptor %s\n", fcntl(victim->fd, F_GETFD) < 0 ? "ended" : "there");
	victim->cleaned = true;
}

static void *with_pending(void *argument)
{
	struct victim *victim = argument;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_cleanup_push(clean, victim);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	victim->call(victim->fd);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *blocking(void *argument)
{
	struct victim *victim = argument;
	pthread_cleanup_push(clean, victim);
	victim->call(victim->fd);
	pthread_cleanup_pop(0);
	return NULL;
}

static void call_close(int fd) { close(fd); }
static void call_accept(int fd) { close(accept(fd, NULL, NULL)); }
static void call_accept4(int fd) { close(accept4(fd, NULL, NULL, 0)); }
static void call_connect(int fd) { connect(fd, (void *)&at.address, sizeof at.address); }
static void call_fclose(int fd) { fclose(fdopen(fd, "r")); }

static void cancelled(const char *name, int fd, void (*call)(int fd), bool pending)
{
	struct victim victim = { .fd = fd, .call = call };
	pthread_t thread;
	void *result;
	say("%s:\n", name);
	must(!pthread_create(&thread, NULL, pending ? with_pending : blocking, &victim), "pthread_create");
	if (!pending)
		pthread_cancel(thread);
	must(!pthread_join(thread, &result), "pthread_join");
	say("  %s, %s\n", result == PTHREAD_CANCELED ? "cancelled" : "ran to its end", victim.cleaned ? "cleaned" : "not");
}

static void pending_cancels(void)
{
	struct pair p = unread(&at), q = unread(&at);
	int fresh = socket(AF_INET, SOCK_STREAM, 0);

	cancelled("close", p.mine, call_close, true);
	close(p.mine);
	say("  then closed: %s\n", other_end(p.peer));
	cancelled("fclose", q.mine, call_fclose, true);
	close(q.mine);
	say("  then closed: %s\n", other_end(q.peer));
	cancelled("connect", fresh, call_connect, true);
	cancelled("accept", at.listener, call_accept, true);
	cancelled("accept4", at.listener, call_accept4, true);
	cancelled("accept, blocking", at.listener, call_accept, false);
	cancelled("accept4, blocking", at.listener, call_accept4, false);
	must(!connect(fresh, (void *)&at.address, sizeof at.address), "connect");
	struct pair r = { accept(at.listener, NULL, NULL), fresh };
	close(r.mine);
	say("  then closed: %s\n", other_end(r.peer));
}

/* A queue that is full: connect waits until it is cancelled. */
static void blocking_connect(void)
{
	struct meeting full = meeting(0, 0), before = at;
	int first = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(first, (void *)&full.address, sizeof full.address), "connect");
	at = full;
	cancelled("connect, blocking", fd, call_connect, false);
	at = before;
	close(first), close(fd), close(full.listener);
}

static void *close_it(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

/* A close that waits for the peer, cancelled there: the descriptor has ended. */
static void lingering_close(void)
{
	static char much[1 << 16];
	struct linger linger = { 1, 60 };
	struct pair p = meet(&at);
	pthread_t thread;
	void *result;

	fcntl(p.mine, F_SETFL, O_NONBLOCK);
	while (write(p.mine, much, sizeof much) > 0)
		;
	setsockopt(p.mine, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	fcntl(p.mine, F_SETFL, 0);
	must(!pthread_create(&thread, NULL, close_it, &p.mine), "pthread_create");
	while (fcntl(p.mine, F_GETFD) >= 0)
		sched_yield();
	pthread_cancel(thread);
	must(!pthread_join(thread, &result), "pthread_join");
	say("close, lingering: %s\n", result == PTHREAD_CANCELED ? "cancelled" : "ran to its end");
	close(p.peer);
}

int main(void)
{
	at = meeting(5, 0);
	its = meeting(5, 0);
	at_random_moments();
	pending_cancels();
	blocking_connect();
	lingering_close();
	return 0;
}

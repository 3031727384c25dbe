/*
 * A preloaded library that, too, wants to be started first of all, and is: its
 * constructor ends a connection, starts a thread that goes on with it while all
 * other constructors run, has a signal handler that duplicates and closes, and
 * leaves a connection to its destructor.
 */
#include "../net.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static struct meeting at;
static struct pair left;
static pthread_t thread;
static _Atomic bool stop;
static volatile sig_atomic_t enough;

/* Each sets the time for the next: however long one takes, the program goes on in between. */
static void soon(void)
{
	struct itimerval once = { { 0, 0 }, { 0, 10 } };
	setitimer(ITIMER_REAL, &once, NULL);
}

static void on_alarm(int number)
{
	int kept = errno;
	(void)number;
	close(dup(1));
	if (!enough)
		soon();
	errno = kept;
}

static void *churn(void *unused)
{
	while (!stop) {
		struct pair p = meet(&at);
		int copy = fcntl(p.mine, F_DUPFD_CLOEXEC, 0);
		shutdown(p.mine, SHUT_RD);
		close(p.mine);
		close(copy);
		close(p.peer);
	}
	return unused;
}

static __attribute__((constructor)) void start(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	sigaction(SIGALRM, &action, NULL);
	soon();
	at = meeting(5, SOCK_CLOEXEC);
	struct pair p = unread(&at);
	close(p.mine);
	say("before all constructors: %s\n", other_end(p.peer));
	left = unread(&at);
	must(!pthread_create(&thread, NULL, churn, NULL), "pthread_create");
	enough = 1;
	setitimer(ITIMER_REAL, &never, NULL);
}

static __attribute__((destructor)) void end(void)
{
	stop = true;
	pthread_join(thread, NULL);
	close(left.mine);
	say("after all destructors: %s\n", other_end(left.peer));
}

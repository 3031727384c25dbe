/*
 * halfclose-drain: takes over sockets that programs have closed gracefully, reads
 * on for a bounded while and closes them. The library starts it when a program
 * needs it first; it ends when nobody has for a while.
 */
#include "drain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

enum { EVENTS = 256, RESERVE = 300 /* descriptors for all but sockets */, MOST = 1 << 18 };

static uint64_t idle = 10 * SECOND, grace = 2 * SECOND, most = MOST;
static volatile sig_atomic_t told_to_stop, child_ended;
static int epoll, listener;

static void stop(int number)
{
	(void)number;
	told_to_stop = 1;
}

static void reap(int number)
{
	(void)number;
	child_ended = 1;
}

/* Told to stop only while the loop waits: it can't miss it. */
static void take_signals(void)
{
	const struct sigaction on_stop = { .sa_handler = stop }, ignore = { .sa_handler = SIG_IGN };
	const struct sigaction on_child = { .sa_handler = reap, .sa_flags = SA_NOCLDSTOP };
	sigset_t stops;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGCHLD);
	sigprocmask(SIG_SETMASK, &stops, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGCHLD, &on_child, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* As many descriptors as there can be: most for sockets, some for recordings. */
static bool make_room(int *wake)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	uint64_t files = limit.rlim_cur;
	uint32_t slots = (uint32_t)least(files <= 2 * RESERVE ? files / 2 : files - RESERVE, 2 * MOST);
	log_init((uint32_t)least(files / 4, MOST));
	*wake = workers_init(listener, slots, most);
	return slots_init(slots);
}

/* In the background, and ready when whoever started us goes on. */
static void leave_to_child(void)
{
	pid_t child = fork();
	if (child)
		_exit(child < 0);
	setsid();
}

static void close_streams(void)
{
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	if (chdir("/"))
		return; /* where it is, it may keep a file system busy: no more */
}

/* Started by the library, standard input is the listener, and nothing else is
 * there; the numbers of the standard streams must not become sockets'. */
static int inherited_listener(void)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	close_streams();
	return fd;
}

/* A set of our own, with the listener. */
static bool begin_to_wait(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = NO_SLOT };
	epoll = epoll_create1(EPOLL_CLOEXEC);
	sockets_init(epoll);
	return epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
}

/* Where there is no room for more, somebody else goes on with what there is. */
static void leave_to_worker(void)
{
	if (!worker_needed())
		return;
	if (worker_add(epoll, listener)) {
		if (!begin_to_wait())
			told_to_stop = 1; /* nobody can be served any more */
	} else if (is_worker()) {
		listener = -1;
	}
}

/* Nobody may connect any more: who does finds no drain and starts another. What
 * has connected already is still taken. */
static void stop_listening(void)
{
	shutdown(listener, SHUT_RD);
	while (listener >= 0 && take_connections(epoll, listener))
		leave_to_worker();
	if (listener >= 0)
		close(listener);
	listener = -1;
}

static void end_what_is_due(void)
{
	uint64_t at = now();
	for (uint32_t slot; (slot = slot_next_due()) && slot_of(slot)->deadline <= at;)
		socket_due(slot, at);
}

/* ms until something is due */
static int patience(uint64_t since_idle, uint64_t last)
{
	uint64_t at = now(), due = last;
	if (slot_next_due())
		due = least(due, slot_of(slot_next_due())->deadline);
	else if (listener >= 0 && idle && !workers_used())
		due = least(due, since_idle + idle);
	if (due == UINT64_MAX)
		return -1;
	return due <= at ? 0 : (int)least((due - at) / 1000000 + 1, 60000);
}

/* Returns whether somebody waits at the listener. */
static bool take_events(const struct epoll_event *events, int n)
{
	bool waiting = false;
	for (int i = 0; i < n; i++) {
		uint32_t slot = events[i].data.u32;
		if (slot == NO_SLOT)
			waiting = true;
		else if (slot_of(slot)->fd < 0)
			continue; /* ended in this turn, by another's need of room */
		else if (!slot_of(slot)->is_connection)
			socket_readable(slot, events[i].events);
		else if (!worker_needed())
			take_message(slot);
	}
	return waiting && listener >= 0;
}

/* `last`: when it must be over, however it goes. */
static void stop_all(uint64_t *last)
{
	uint64_t at = now();
	sockets_end_by(at + grace);
	if (!is_worker())
		workers_stop();
	*last = at + grace + SECOND;
}

static void serve(void)
{
	struct epoll_event events[EVENTS];
	uint64_t since_idle = now(), last = UINT64_MAX;
	sigset_t none;
	sigemptyset(&none);

	while ((listener >= 0 || slots_used() || workers_used()) && now() < last) {
		int n = epoll_pwait(epoll, events, EVENTS, patience(since_idle, last), &none);
		bool waiting = take_events(events, n);
		end_what_is_due();
		/* last: a slot that was given back in this turn is somebody else's now */
		if (waiting)
			take_connections(epoll, listener);
		leave_to_worker();
		if (child_ended) {
			child_ended = 0;
			workers_reap();
		}
		if (is_worker() && !worker_obey())
			told_to_stop = 1;
		if (slots_used() || workers_used())
			since_idle = now();
		bool over = told_to_stop || (idle && !slots_used() && now() - since_idle >= idle);
		if (listener >= 0 && over)
			stop_listening();
		if (told_to_stop && last == UINT64_MAX)
			stop_all(&last);
	}
}

enum option {
#define OPTION(name, argument, preset, meaning) OPTION_##name,
#include "options.def"
	OPTIONS
};

static const struct {
	const char *name, *argument, *preset, *meaning;
} options[] = {
#define OPTION(name, argument, preset, meaning) { #name, argument, preset, meaning },
#include "options.def"
};

static void say_help(void)
{
	puts("usage: halfclose-drain [OPTION...]\n"
	     "\n"
	     "Finishes the graceful closes of programs that run with libhalfclose.so and\n"
	     "HALFCLOSE_GRACEFUL: it takes the sockets over, reads on for a bounded while,\n"
	     "and closes them. Programs of the same user and network namespace share one.\n"
	     "\n"
	     "The library starts it by itself; started by hand, it stays in the foreground.");
	for (int i = 0; i < OPTIONS; i++) {
		char name[32];
		snprintf(name, sizeof name, "--%s%s%s", options[i].name, *options[i].argument ? "=" : "",
		         options[i].argument);
		printf("  %-15s %s", name, options[i].meaning);
		printf(*options[i].preset ? " [%s]\n" : "\n", options[i].preset);
	}
	puts("On SIGTERM it takes no more, and ends within two seconds.");
}

static void not_understood(const char *word)
{
	fprintf(stderr, "halfclose-drain: %s: not understood; see --help\n", word);
	exit(2);
}

/* Which option a word is; *value is what follows its `=`, NULL if nothing does. */
static enum option option_of(const char *word, const char **value)
{
	size_t length = strcspn(word, "=");
	*value = word[length] ? word + length + 1 : NULL;
	for (int i = 0; i < OPTIONS; i++)
		if (length == strlen(options[i].name) + 2 && !strncmp(word, "--", 2) &&
		    !strncmp(word + 2, options[i].name, length - 2) && !*value == !*options[i].argument)
			return (enum option)i;
	return OPTIONS;
}

static bool read_seconds(const char *value, uint64_t *into)
{
	char *end;
	double seconds = strtod(value, &end);
	if (*value < '0' || *value > '9' || *end || seconds >= 1e6)
		return false;
	*into = (uint64_t)(seconds * (double)SECOND);
	return true;
}

static bool read_most(const char *value)
{
	char *end;
	most = strtoul(value, &end, 10);
	return *value >= '1' && *value <= '9' && !*end && most <= MOST;
}

/* Returns whether it is to go to the background. */
static bool read_options(int argc, char **argv)
{
	bool background = false;
	for (int i = 1; i < argc; i++) {
		const char *value;
		switch (option_of(argv[i], &value)) {
		case OPTION_idle:
			if (!read_seconds(value, &idle))
				not_understood(argv[i]);
			break;
		case OPTION_sockets:
			if (!read_most(value))
				not_understood(argv[i]);
			break;
		case OPTION_daemon:
			background = true;
			idle = idle ? idle : 10 * SECOND;
			break;
		case OPTION_help:
			say_help();
			exit(0);
		case OPTION_version:
			puts("halfclose-drain " HC_VERSION_TEXT);
			exit(0);
		default:
			not_understood(argv[i]);
		}
	}
	return background;
}

int main(int argc, char **argv)
{
	int wake;
	bool by_library = is_listener(0);
	if (!by_library)
		idle = 0;
	bool background = read_options(argc, argv);
	listener = by_library ? inherited_listener() : own_listener(background);
	if (background) {
		leave_to_child();
		close_streams();
	}
	take_init();
	take_signals();
	fcntl(listener, F_SETFL, O_NONBLOCK);
	/* the set comes last: its number is above those that stay */
	if (!make_room(&wake) || !begin_to_wait())
		return 1;
	enter_sandbox(wake);
	serve();
	return 0;
}

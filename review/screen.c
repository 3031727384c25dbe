#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* the alternate screen, no cursor, no wrapping; and back */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
static const int fatal[] = { SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV };

static struct {
	int keys; /* -1: there are none */
	bool own_keys, raw;
	struct termios before;
	sigset_t mask; /* as it was, and is while it waits */
	struct sigaction actions[NSIG];
} screen;
static volatile sig_atomic_t is_open, ended, changed, stopped;

static void write_all(const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		size -= (size_t)n;
	}
}

/* Safe in a handler. */
static void give_back(void)
{
	if (!is_open)
		return;
	is_open = 0;
	if (screen.raw)
		tcsetattr(screen.keys, TCSADRAIN, &screen.before);
	write_all(LEAVE, sizeof(LEAVE) - 1);
}

static void note(int number)
{
	if (number == SIGWINCH)
		changed = 1;
	else if (number == SIGTSTP)
		stopped = 1;
	else
		ended = 1;
}

static void die(int number)
{
	give_back();
	raise(number); /* by its default action, since SA_RESETHAND */
}

static void take(void)
{
	struct termios raw;

	screen.raw = screen.keys >= 0 && tcgetattr(screen.keys, &screen.before) == 0;
	if (screen.raw) {
		raw = screen.before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(screen.keys, TCSADRAIN, &raw);
	}
	is_open = 1;
	write_all(ENTER, sizeof(ENTER) - 1);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(number, &action, &screen.actions[number]);
}

static void each_signal(bool on)
{
	static const int others[] = { SIGWINCH, SIGTSTP };
	sigset_t held;

	sigemptyset(&held);
	for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigaddset(&held, ends[i]);
	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		sigaddset(&held, others[i]);
	if (on)
		sigprocmask(SIG_BLOCK, &held, &screen.mask); /* but while it waits */
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&held, number) == 1 && on)
			handle(number, note, 0);
		else if (sigismember(&held, number) == 1)
			sigaction(number, &screen.actions[number], NULL);
	for (unsigned i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		if (on)
			handle(fatal[i], die, (int)SA_RESETHAND | SA_NODEFER);
		else
			sigaction(fatal[i], &screen.actions[fatal[i]], NULL);
	if (!on)
		sigprocmask(SIG_SETMASK, &screen.mask, NULL);
}

bool screen_is_there(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb"));
}

bool screen_open(void)
{
	if (!screen_is_there())
		return false;
	screen.own_keys = !isatty(STDIN_FILENO);
	screen.keys = screen.own_keys ? open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	ended = changed = stopped = 0;
	each_signal(true);
	take();
	return true;
}

void screen_close(void)
{
	if (!is_open)
		return;
	give_back();
	each_signal(false);
	if (screen.own_keys && screen.keys >= 0)
		close(screen.keys);
}

bool screen_draw(const char *frame, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, frame, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		frame += n;
		size -= (size_t)n;
	}
	return true;
}

/* By ^Z: the terminal is the shell's until we are continued. */
static void stop(void)
{
	stopped = 0;
	give_back();
	kill(getpid(), SIGSTOP);
	take();
	changed = 1;
}

enum screen_wake screen_wait(unsigned milliseconds, char *key)
{
	struct pollfd keys = { .fd = screen.keys, .events = POLLIN };
	struct timespec time = { .tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000 };
	int n = 0;

	if (!ended && !changed && !stopped)
		n = ppoll(&keys, 1, &time, &screen.mask);
	if (ended)
		return SCREEN_END;
	if (stopped)
		stop();
	if (changed) {
		changed = 0;
		return SCREEN_CHANGED;
	}
	if (n <= 0)
		return SCREEN_TIME;
	return read(screen.keys, key, 1) == 1 ? SCREEN_KEY : SCREEN_END;
}

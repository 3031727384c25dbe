/*
 * One run of the host, bare or under a build of the library, with a fault or none:
 * what it said, how it ended, what the kernel counted, what was recorded.
 */
#ifndef RUNS_H
#define RUNS_H

#include "../truth/counters.h"
#include "note.h"
#include "refuse.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static const char *const outcomes[] = { "fin", "reset-unread", "reset-linger", "backlog", "none", "shared", "unknown" };
enum {
	OUTCOMES = sizeof outcomes / sizeof *outcomes,
	SPACE = 1 << 21,
	SECONDS = 40, /* a host that takes longer hangs */
};

struct fault {
	unsigned at; /* 0: none */
	int error;
	bool on;
	const char *only;
	const char *rule;
};

struct result {
	int status;
	char out[SPACE], errors[SPACE];
	unsigned calls, fired, maps;
	char name[32];
	long on_close, on_data;
	bool recorded;
	long outcome[OUTCOMES], damaged;
};

static char **host, *settings[4];
static int n_settings;
static char faulty[4096], ordinary[4096], command[4096];
static struct note *note;
static unsigned runs;

/* Runs argv with its two outputs in `out` and `errors`; returns its status. */
static int run(char **argv, char *const *environment, const struct fault *fault, char *out, char *errors_of)
{
	char *into[2] = { out, errors_of }, spill[4096];
	size_t used[2] = { 0, 0 };
	int pipes[2][2];
	if (pipe2(pipes[0], O_CLOEXEC) || pipe2(pipes[1], O_CLOEXEC))
		err(2, "pipe");
	pid_t child = fork();
	if (!child) {
		setpgid(0, 0);
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(pipes[0][1], 1);
		dup2(pipes[1][1], 2);
		if (fault && fault->rule)
			refuse(fault->rule, fault->error);
		execvpe(argv[0], argv, environment);
		_exit(127);
	}
	close(pipes[0][1]), close(pipes[1][1]);
	time_t end = time(NULL) + SECONDS;
	for (int open_ones = 2; open_ones;) {
		struct pollfd p[2] = { { pipes[0][0], POLLIN, 0 }, { pipes[1][0], POLLIN, 0 } };
		if (time(NULL) > end || poll(p, 2, 1000 * SECONDS) == 0)
			kill(-child, SIGKILL);
		for (int i = 0; i < 2; i++) {
			if (pipes[i][0] < 0 || !p[i].revents)
				continue;
			/* what is more than that is not looked at */
			bool room = used[i] < SPACE - 1;
			ssize_t n = room ? read(pipes[i][0], into[i] + used[i], SPACE - 1 - used[i])
			                 : read(pipes[i][0], spill, sizeof spill);
			if (n > 0)
				used[i] += room ? (size_t)n : 0;
			else
				close(pipes[i][0]), pipes[i][0] = -1, open_ones--;
		}
	}
	out[used[0]] = errors_of[used[1]] = '\0';
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			err(2, "waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static long count_of(const char *text, const char *key, const char *value)
{
	char pair[64];
	long n = 0;
	snprintf(pair, sizeof pair, "\"%s\": \"%s\"", key, value);
	for (; (text = strstr(text, pair)); text++)
		n++;
	return n;
}

/* Event by event: the report makes up for a claim that a later one belies. */
static bool read_recording(struct result *result)
{
	static char text[SPACE], complaint[SPACE];
	char *log[] = { command, "log", "--json", "hc", NULL }, *report[] = { command, "report", "--json", "hc", NULL };
	if (run(log, environ, NULL, text, complaint))
		return false;
	for (int i = 0; i < OUTCOMES; i++)
		result->outcome[i] = count_of(text, "outcome", outcomes[i]);
	if (run(report, environ, NULL, text, complaint))
		return false;
	const char *damaged = strstr(text, "\"damaged\": ");
	result->damaged = damaged ? atol(damaged + strlen("\"damaged\": ")) : -1;
	return damaged;
}

/* Without a library: bare. */
static void run_host(const char *library, const struct fault *fault, struct result *result)
{
	static char space[10][5000];
	char *environment[20];
	int n = 0;
	memset(result, 0, sizeof *result);
	memset(note, 0, sizeof *note);
	unlink("hc");
	environment[n++] = "PATH=/usr/bin:/bin";
	if (library) {
		environment[n++] = "HALFCLOSE_WARN=stderr";
		/* no stacks: their names would take most of the time */
		environment[n++] = "HALFCLOSE_STACK=off";
		environment[n++] = "HALFCLOSE_SOCKETS=tcp,unix";
		environment[n++] = "FAULT_NOTE=note";
		snprintf(space[0], sizeof *space, "LD_PRELOAD=%s", library);
		snprintf(space[1], sizeof *space, "HALFCLOSE_LOG=%s/hc", getcwd(space[9], sizeof *space));
		snprintf(space[2], sizeof *space, "FAULT_AT=%u", fault->at);
		snprintf(space[3], sizeof *space, "FAULT_ERROR=%d", fault->error);
		snprintf(space[4], sizeof *space, "FAULT_ON=%d", fault->on);
		snprintf(space[5], sizeof *space, "FAULT_ONLY=%s", fault->only ? fault->only : "");
		for (int i = 0; i < 6; i++)
			environment[n++] = space[i];
		for (int i = 0; i < n_settings; i++)
			environment[n++] = settings[i];
	}
	environment[n] = NULL;
	struct counters before = counters();
	result->status = run(host, environment, fault, result->out, result->errors);
	struct counters after = counters();
	result->on_close = (long)(after.on_close - before.on_close);
	result->on_data = (long)(after.on_data - before.on_data);
	result->calls = note->calls;
	result->fired = note->fired;
	memcpy(result->name, note->name, sizeof result->name - 1);
	runs++;
}

#endif

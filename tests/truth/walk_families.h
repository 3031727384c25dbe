/*
 * Steps that make, change and end processes, and carry sockets between them.
 */
#ifndef WALK_FAMILIES_H
#define WALK_FAMILIES_H

#include "walk_steps.h"
#include "walk_worker.h"

/* Numbers below FIRST are what every process of the walk has. */
static bool step_launch(void)
{
	struct process *p = working() < 3 ? new_process(false) : NULL;
	if (!p)
		return false;
	fflush(NULL);
	pid_t pid = fork();
	check(pid, "fork");
	if (!pid) {
		execs(CHANNEL + place_of(p), true, 0);
		_exit(3);
	}
	*p = (struct process){ .pid = pid, .traced = true };
	hear(p);
	return did(p, "launched");
}

static bool step_fork(void)
{
	struct process *p = any_worker(), *child = new_process(false);
	int call = (int)pick(FORKS);
	if (!child)
		return false;
	int pid = must(p, (struct command){ FORK, .to = CHANNEL + place_of(child), .number = call });
	*child = (struct process){ .pid = pid, .traced = p->traced };
	copy_held(child, p);
	hear(child);
	return did(p, "fork %d of %d", call, place_of(child));
}

static bool step_spawn(void)
{
	struct process *p, *child = new_process(true);
	struct held *h = any_held(&p);
	int call = (int)pick(SPAWNS);
	char byte;
	if (!child || !h)
		return false;
	int fd = h->fd, pid = must(p, (struct command){ SPAWN, .fd = fd, .number = call });
	struct pollfd runs = { .fd = readiness, .events = POLLIN };
	if (poll(&runs, 1, 60000) != 1 || read(readiness, &byte, 1) != 1)
		lost("what was spawned does not run");
	*child = (struct process){ .pid = pid };
	copy_held(child, p);
	drop_cloexec(child);
	if (call == 1)
		drop_fd(child, fd);
	return did(p, "spawn %d of %d", call, place_of(child));
}

static bool step_exec(void)
{
	struct process *p = any_worker();
	int call = (int)pick(EXECS);
	bool traced = pick(4);
	must(p, (struct command){ EXEC, .to = traced, .number = call });
	drop_cloexec(p);
	did(p, "exec %d, %s", call, traced ? "traced" : "untraced");
	p->traced = traced;
	return true;
}

static bool goes(struct process *p)
{
	int pidfd = pidfd_of(p), call = (int)pick(EXITS);
	tell(p, (struct command){ EXIT, .number = call });
	await_death(p, pidfd);
	return did(p, "exit %d", call);
}

static bool step_exit(void)
{
	return working() > 2 && goes(any_worker());
}

static bool dies(struct process *p)
{
	int pidfd = pidfd_of(p);
	kill(p->pid, SIGKILL);
	await_death(p, pidfd);
	return did(NULL, "process %d is killed", place_of(p));
}

static bool step_worker_dies(void)
{
	return working() > 2 && dies(any_worker());
}

static bool step_sleeper_dies(void)
{
	for (int i = WORKERS; i < PROCESSES; i++)
		if (processes[i].pid)
			return dies(&processes[i]);
	return false;
}

static bool step_reap(void)
{
	struct process *p = any_worker();
	while (ask(p, (struct command){ .op = REAP }) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return did(p, "reap");
}

static bool step_pass(void)
{
	struct process *p;
	struct held *h = any_held(&p);
	if (!h || flying == IN_FLIGHT)
		return false;
	must(p, (struct command){ PASS, .fd = h->fd, .number = (int)pick(2) });
	in_flight[flying++] = h->sock;
	return did(p, "pass socket %d", h->sock);
}

static bool step_take(void)
{
	struct process *p = any_worker();
	int flags = pick(2) ? MSG_CMSG_CLOEXEC : 0;
	if (!flying || !has_room(p))
		return false;
	int fd = must(p, (struct command){ TAKE, .number = flags }), sock = in_flight[0];
	memmove(in_flight, in_flight + 1, sizeof *in_flight * (size_t)--flying);
	add(p, fd, sock, flags);
	return did(p, "take socket %d as %d", sock, fd);
}

/* At the end of the walk: one after the other. */
static bool step_last_exit(void)
{
	for (int i = 0; i < WORKERS; i++)
		if (processes[i].pid)
			return goes(&processes[i]);
	return step_sleeper_dies();
}

static bool step_drop_messages(void)
{
	close(INBOX);
	close(OUTBOX);
	return did(NULL, "messages are dropped");
}

#endif

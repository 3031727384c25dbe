/*
 * Thousands of vfork children, which run in their parent's memory, close and
 * dup2 over what the parent goes on to use: the parent's own ends must still be
 * seen for what they are. The other ends say what the kernel did.
 */
#include "net.h"

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { PAIRS = 32, ROUNDS = 2000, THREADS = 2 };

static struct pair pairs[PAIRS];
static int null;

/* What the parent's other threads do meanwhile with sockets of their own. */
static _Atomic bool stop;
static void *go_on(void *unused)
{
	struct meeting at = meeting(5, SOCK_CLOEXEC);
	char byte;
	while (!stop) {
		struct pair p = unread(&at);
		int copy = dup(p.mine);
		close(p.mine);
		must(recv(copy, &byte, 1, 0) == 1 && send(copy, "!", 1, 0) == 1, "echo");
		must(recv(p.peer, &byte, 1, 0) == 1 && byte == '!', "echo");
		close(copy);
		close(p.peer);
	}
	close(at.listener);
	return unused;
}

static void check_child(pid_t child, int expected)
{
	int status = ended(child);
	if (status != expected)
		errx(1, "a child ended with %x", (unsigned)status);
}

static void by_vfork(int i)
{
	pid_t child = vfork();
	must(child >= 0, "vfork");
	if (!child) {
		close(pairs[i % PAIRS].mine);
		dup2(null, pairs[(i + 1) % PAIRS].mine);
		dup2(pairs[(i + 2) % PAIRS].mine, pairs[(i + 3) % PAIRS].mine);
		shutdown(-1, SHUT_RD);
		if (i % 16 == 0)
			execl("/bin/true", "true", NULL);
		if (i % 16 == 1)
			execl("/nonexistent", "true", NULL);
		close_range(3, 1000, 0);
		_exit(3);
	}
	check_child(child, i % 16 ? 0x300 : 0);
}

/* A child that comes back through syscall() and writes over all that is below
 * its return address, where a wrapper would have its frame. */
static void by_syscall(void)
{
#if defined(__x86_64__) && defined(SYS_vfork)
	long child = syscall(SYS_vfork);
	if (!child)
		__asm__ volatile("lea -16(%%rsp), %%rdi\n\t"
				 "mov $500, %%ecx\n"
				 "1:\tmovq $-1, (%%rdi)\n\t"
				 "sub $8, %%rdi\n\t"
				 "loop 1b\n\t"
				 "mov $4, %%edi\n\t"
				 "mov %0, %%eax\n\t"
				 "syscall" :: "i"(SYS_exit_group) : "rax", "rdi", "rcx", "r11", "memory");
	must(child > 0, "vfork");
	check_child((pid_t)child, 0x400);
#endif
}

static void by_spawn(int i)
{
	static char *const nothing[] = { NULL };
	char *argv[] = { (char[]){ "true" }, NULL };
	pid_t child;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, pairs[i % PAIRS].mine);
	posix_spawn_file_actions_adddup2(&actions, null, pairs[(i + 1) % PAIRS].mine);
	must(!posix_spawn(&child, "/bin/true", &actions, NULL, argv, nothing), "posix_spawn");
	posix_spawn_file_actions_destroy(&actions);
	check_child(child, 0);
}

int main(void)
{
	pthread_t thread[THREADS];
	struct meeting at = meeting(5, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < PAIRS; i++)
		pairs[i] = i % 2 ? unread(&at) : meet(&at);
	for (int i = 0; i < THREADS; i++)
		must(!pthread_create(&thread[i], NULL, go_on, NULL), "pthread_create");
	for (int i = 0; i < ROUNDS; i++) {
		by_vfork(i);
		by_syscall();
		if (i % 20 == 0)
			by_spawn(i);
	}
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < PAIRS; i++) {
		int copy = i % 3 ? -1 : dup(pairs[i].mine);
		close(pairs[i].mine);
		if (copy >= 0)
			close(copy);
		say("%d: %s\n", i, other_end(pairs[i].peer));
	}
	return 0;
}

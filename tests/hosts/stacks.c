/*
 * Closes on stacks that an unwinder can't read, or that have little room: what
 * the program makes of them is its own affair, and no reason to die. Each kind
 * ends some connections, and says what came of them.
 *
 *   stacks KIND
 *     assembly   called by code without unwind tables, rbp no frame
 *     jit        called by code that was made at run time: at the very end of
 *                its memory, and in memory that can only be executed
 *     nowhere    the caller's return address is none
 *     coroutine  makecontext's stack of two pages, a guard below it
 *     edge       accept's size lies behind the stack's end, where nothing is
 *     tiny       a thread with the least stack that there may be
 *     alternate  a signal handler on the least stack that SIGSTKSZ gave
 *     wild       a crash handler, the crash being a jump to nowhere
 *     smashed    a crash handler, the interrupted function's frame overwritten
 *     overflow   a crash handler, the crash being an endless recursion
 */
#include "net.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

static struct meeting at;

/* By each of the calls that judge an end, and one that is asked of the kernel. */
static void end_by(int how, int fd)
{
	int copy;
	switch (how) {
	case 0:
		close(fd);
		break;
	case 1:
		fclose(fdopen(fd, "r"));
		break;
	case 2:
		copy = dup(fd);
		close_range((unsigned)fd, (unsigned)fd, 0);
		close(copy);
		break;
	default:
		dup2(1, fd);
		close(fd);
	}
}
enum { WAYS = 4 };

static int end_one(int how)
{
	struct pair p = unread(&at);
	end_by(how, p.mine);
	say("  %s\n", other_end(p.peer));
	return how;
}

static void ends(void)
{
	for (int how = 0; how < WAYS; how++)
		end_one(how);
}

#ifdef __x86_64__

/* through_assembly(function, argument): rbp and rbx are numbers, as in code that
 * has its own use for them; no .cfi line, so no entry in any table */
int through_assembly(int (*function)(int), int argument);
__asm__(".text\n"
	".type through_assembly, @function\n"
	".globl through_assembly\n"
	"through_assembly:\n\t"
	"push %rbp\n\t"
	"push %rbx\n\t"
	"sub $8, %rsp\n\t"
	"mov $0x1234567, %ebp\n\t"
	"mov $-1, %rbx\n\t"
	"mov %rdi, %rax\n\t"
	"mov %esi, %edi\n\t"
	"call *%rax\n\t"
	"add $8, %rsp\n\t"
	"pop %rbx\n\t"
	"pop %rbp\n\t"
	"ret\n\t"
	".size through_assembly, . - through_assembly\n");

static void assembly(void)
{
	for (int how = 0; how < WAYS; how++)
		say("%d\n", through_assembly(end_one, how));
}

static const unsigned char code[] = {
	0x48, 0x83, 0xec, 0x08, /* sub $8, %rsp */
	0x48, 0x89, 0xf8,       /* mov %rdi, %rax */
	0x89, 0xf7,             /* mov %esi, %edi */
	0xff, 0xd0,             /* call *%rax */
	0x48, 0x83, 0xc4, 0x08, /* add $8, %rsp */
	0xc3,                   /* ret */
};

static void jit(void)
{
	int protection[] = { PROT_READ | PROT_EXEC, PROT_EXEC };
	for (int i = 0; i < 2; i++) {
		char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *start;
		int (*made)(int (*function)(int), int argument);
		must(page != MAP_FAILED, "mmap");
		start = page + 4096 - sizeof code;
		memcpy(start, code, sizeof code);
		memcpy(&made, &start, sizeof made);
		must(!mprotect(page, 4096, protection[i]) && !mprotect(page + 4096, 4096, PROT_NONE), "mprotect");
		for (int how = 0; how < WAYS; how++)
			say("%d\n", made(end_one, how));
		munmap(page, 8192);
	}
}

static jmp_buf back;

static void end_and_leave(void)
{
	ends();
	longjmp(back, 1);
}

/* The stack's last words are a return address that is none, and an rbp that
 * points to no frame. */
static void nowhere(void)
{
	static const uintptr_t addresses[] = { 1, 0x4141414141414141, 0x7fffffffe000, UINTPTR_MAX };
	size_t size = 65536;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(stack != MAP_FAILED, "mmap");
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		if (!setjmp(back))
			__asm__ volatile("mov %0, %%rsp\n\t"
					 "mov $0x4242, %%ebp\n\t"
					 "push %1\n\t"
					 "jmp *%2"
					 :: "r"(stack + size), "r"(addresses[i]), "r"(end_and_leave) : "memory");
}

#endif

static ucontext_t here, there;

static void coroutine(void)
{
	size_t size = 8192;
	char *stack = mmap(NULL, 4096 + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(stack != MAP_FAILED && !mprotect(stack, 4096, PROT_NONE), "mmap");
	must(!getcontext(&there), "getcontext");
	there.uc_stack.ss_sp = stack + 4096;
	there.uc_stack.ss_size = size;
	there.uc_link = &here;
	makecontext(&there, ends, 0);
	must(!swapcontext(&here, &there), "swapcontext");
}

static socklen_t *behind;

static void accept_behind(void)
{
	struct sockaddr_storage peer;
	int client = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(client, (void *)&at.address, sizeof at.address), "connect");
	say("%d ", accept(at.listener, (void *)&peer, behind));
	say("%s\n", strerrorname_np(errno));
	close(client);
}

static void edge(void)
{
	size_t size = 16384;
	char *stack = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(stack != MAP_FAILED && !mprotect(stack + size, 4096, PROT_NONE), "mmap");
	behind = (socklen_t *)(void *)(stack + size + 64);
	must(!getcontext(&there), "getcontext");
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = size;
	there.uc_link = &here;
	makecontext(&there, accept_behind, 0);
	must(!swapcontext(&here, &there), "swapcontext");
}

static void *ends_in_thread(void *unused)
{
	ends();
	return unused;
}

static void tiny(void)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	must(!pthread_attr_setstacksize(&attributes, 16384), "pthread_attr_setstacksize");
	must(!pthread_create(&thread, &attributes, ends_in_thread, NULL), "pthread_create");
	pthread_join(thread, NULL);
}

/* signals */

static int unread_before[WAYS], other_before[WAYS];

static void on_crash(int number)
{
	for (int how = 0; how < WAYS; how++) {
		end_by(how, unread_before[how]);
		say("  %s\n", other_end(other_before[how]));
	}
	if (number == SIGSEGV)
		_exit(3);
}

static void handle(int number, size_t size)
{
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };
	char *space = mmap(NULL, 4096 + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = { .ss_sp = space + 4096, .ss_size = size };
	must(space != MAP_FAILED && !mprotect(space, 4096, PROT_NONE), "mmap");
	must(!sigaltstack(&stack, NULL) && !sigaction(number, &action, NULL), "sigaction");
	for (int how = 0; how < WAYS; how++) {
		struct pair p = unread(&at);
		unread_before[how] = p.mine;
		other_before[how] = p.peer;
	}
}

static void alternate(void)
{
	handle(SIGUSR1, 8192);
	raise(SIGUSR1);
}

/* A child does it, whose end is what is said. */
static void crash(void (*by)(void), size_t size)
{
	pid_t child = fork();
	must(child >= 0, "fork");
	if (!child) {
		handle(SIGSEGV, size);
		by();
		_exit(4);
	}
	say("%x\n", (unsigned)ended(child));
}

static uintptr_t nothing_there[] = { 0, 0x4141414141414141, 4096 };
static size_t next_nothing;
static void jump_to_nothing(void)
{
	void (*function)(void);
	memcpy(&function, &nothing_there[next_nothing], sizeof function);
	function();
}

static void wild(void)
{
	for (; next_nothing < 3; next_nothing++)
		crash(jump_to_nothing, 65536);
}

/* As a buffer overflow leaves it: the caller's rbp is garbage, which the caller
 * has for its frame. */
static __attribute__((noinline)) void overwrite_callers(void)
{
	*(volatile uintptr_t *)__builtin_frame_address(0) = 0x414141414140;
}

static __attribute__((noinline, optimize("O0", "no-omit-frame-pointer"))) void smash(void)
{
	volatile int value = 1;
	overwrite_callers();
	value++;
}

static volatile int most = INT_MAX;
static __attribute__((noinline)) int recur(int n)
{
	volatile char space[4000];
	space[n % 4000] = (char)n;
	return n < most ? recur(n + 1) + space[n % 4000] : n;
}
static void recur_forever(void) { say("%d\n", recur(0)); }

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		void (*run)(void);
	} kinds[] = {
#ifdef __x86_64__
		{ "assembly", assembly }, { "jit", jit }, { "nowhere", nowhere },
#endif
		{ "coroutine", coroutine }, { "edge", edge }, { "tiny", tiny }, { "alternate", alternate }, { "wild", wild },
	};
	alarm(150);
	at = meeting(20, 0);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].name, kind)) {
			kinds[i].run();
			return 0;
		}
	if (!strcmp(kind, "smashed"))
		crash(smash, 65536);
	else if (!strcmp(kind, "overflow"))
		crash(recur_forever, 65536);
	else
		return 2;
	return 0;
}

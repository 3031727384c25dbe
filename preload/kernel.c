/*
 * libc's functions that the library itself uses and that make a system call,
 * under their own names but for the library alone: what it asks reaches no hook
 * of another library, whose constructor runs after ours and which may not be
 * ready, nor would count it as the program's.
 */
#include "kernel.h"

#ifdef HC_KERNEL

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define CALL(number, a, b, c, d, e, f) \
	hc_kernel_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

pid_t getpid(void)
{
	return (pid_t)CALL(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
	va_end(rest);
	return (int)CALL(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode, 0, 0);
}

ssize_t read(int fd, void *into, size_t size)
{
	return CALL(SYS_read, fd, into, size, 0, 0, 0);
}

ssize_t pread64(int fd, void *into, size_t size, off64_t from)
{
	return CALL(SYS_pread64, fd, into, size, from, 0, 0);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t to)
{
	return CALL(SYS_pwrite64, fd, bytes, size, to, 0, 0);
}

ssize_t readlink(const char *path, char *into, size_t size)
{
	return CALL(SYS_readlinkat, AT_FDCWD, path, into, size, 0, 0);
}

int fstat64(int fd, struct stat64 *into)
{
	return (int)CALL(SYS_fstat, fd, into, 0, 0, 0, 0);
}

int fstat(int fd, struct stat *into)
{
	return (int)CALL(SYS_fstat, fd, into, 0, 0, 0, 0);
}

int ftruncate64(int fd, off64_t size)
{
	return (int)CALL(SYS_ftruncate, fd, size, 0, 0, 0, 0);
}

int fallocate64(int fd, int mode, off64_t from, off64_t size)
{
	return (int)CALL(SYS_fallocate, fd, mode, from, size, 0, 0);
}

int flock(int fd, int what)
{
	return (int)CALL(SYS_flock, fd, what, 0, 0, 0, 0);
}

void *mmap64(void *at, size_t size, int access, int flags, int fd, off64_t from)
{
	return (void *)CALL(SYS_mmap, at, size, access, flags, fd, from); /* NOLINT(performance-no-int-to-ptr) */
}

int munmap(void *at, size_t size)
{
	return (int)CALL(SYS_munmap, at, size, 0, 0, 0, 0);
}

int getrlimit64(__rlimit_resource_t which, struct rlimit64 *into)
{
	return (int)CALL(SYS_prlimit64, 0, which, NULL, into, 0, 0);
}

int getrlimit(__rlimit_resource_t which, struct rlimit *into)
{
	return (int)CALL(SYS_prlimit64, 0, which, NULL, into, 0, 0);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	return (int)CALL(SYS_nanosleep, time, left, 0, 0, 0, 0);
}

int uname(struct utsname *into)
{
	return (int)CALL(SYS_uname, into, 0, 0, 0, 0, 0);
}

/* the same where a long has 64 bits */
extern __typeof(open) open __attribute__((alias("open64")));
extern __typeof(mmap) mmap __attribute__((alias("mmap64")));

/* The time is asked for at each record: by the kernel's own code in our memory. */

typedef int (*clock_function)(clockid_t clock, struct timespec *into);

static int clock_by_call(clockid_t clock, struct timespec *into)
{
	return (int)CALL(SYS_clock_gettime, clock, into, 0, 0, 0, 0);
}

/* The kernel's image: its first segment's address is where the others count from. */
static const char *dynamic_part(const char *base, const ElfW(Ehdr) *elf, ElfW(Addr) *bias)
{
	const ElfW(Phdr) *segment = (const void *)(base + elf->e_phoff);
	const char *dynamic = NULL;
	bool placed = false;
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		if (segment[i].p_type == PT_LOAD && !placed) {
			*bias = (ElfW(Addr))base + segment[i].p_offset - segment[i].p_vaddr;
			placed = true;
		} else if (segment[i].p_type == PT_DYNAMIC) {
			dynamic = base + segment[i].p_offset;
		}
	}
	return placed ? dynamic : NULL;
}

static const void *find_in_image(const char *base, const char *name)
{
	const ElfW(Sym) *symbol = NULL;
	const char *names = NULL;
	ElfW(Addr) bias = 0;
	const ElfW(Dyn) *entry = (const void *)dynamic_part(base, (const void *)base, &bias);
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const void *at = (const void *)(bias + entry->d_un.d_ptr); /* NOLINT(performance-no-int-to-ptr) */
		if (entry->d_tag == DT_SYMTAB)
			symbol = at;
		else if (entry->d_tag == DT_STRTAB)
			names = at;
	}
	/* linkers put the names right behind the symbols */
	for (; symbol && names && (const char *)(symbol + 1) <= names; symbol++)
		if (symbol->st_shndx != SHN_UNDEF && !strcmp(names + symbol->st_name, name))
			return (const void *)(bias + symbol->st_value); /* NOLINT(performance-no-int-to-ptr) */
	return NULL;
}

static clock_function find_clock(void)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR); /* NOLINT(performance-no-int-to-ptr) */
#ifdef __x86_64__
	const void *found = base ? find_in_image(base, "__vdso_clock_gettime") : NULL;
#else
	const void *found = base ? find_in_image(base, "__kernel_clock_gettime") : NULL;
#endif
	clock_function function = clock_by_call;
	if (found)
		memcpy(&function, &found, sizeof function);
	return function;
}

int clock_gettime(clockid_t clock, struct timespec *into)
{
	static clock_function function;
	clock_function known = __atomic_load_n(&function, __ATOMIC_RELAXED);
	if (!known) {
		known = find_clock();
		__atomic_store_n(&function, known, __ATOMIC_RELAXED);
	}
	return known(clock, into) ? -1 : 0;
}

#endif

/*
 * Libraries that do harm, one each, to see which suite says so. They are loaded
 * below libhalfclose.so: what it calls is theirs, as if the mistake were its own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The libc function below, in the variable `real`. */
#define REAL(name) \
	static __typeof__(name) *real; \
	if (!real) { \
		void *found = dlsym(RTLD_NEXT, #name); \
		__builtin_memcpy(&real, &found, sizeof found); \
	}

__attribute__((unused)) static int is_socket(int fd)
{
	int kept = errno;
	struct stat st;
	int is = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	errno = kept;
	return is;
}

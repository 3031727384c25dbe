/*
 * A C program that loads, runs and unloads a C++ plugin again and again, and
 * leaves a connection to another one's destructor.
 *
 *   plugin THROW.so LATE.so
 */
#include "net.h"

#include <dlfcn.h>

static void *load(const char *file)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		errx(2, "%s", dlerror());
	return handle;
}

int main(int argc, char **argv)
{
	struct meeting at = meeting(5, 0);
	if (argc < 3)
		return 2;
	for (int i = 0; i < 100; i++) {
		int (*run)(int fd);
		struct pair p = i % 2 ? unread(&at) : meet(&at);
		void *handle = load(argv[1]), *found = dlsym(handle, "run_plugin");
		memcpy(&run, &found, sizeof run);
		say("%d ", run(p.mine));
		dlclose(handle);
		say("%s\n", other_end(p.peer));
	}
	struct pair last = unread(&at);
	*(int *)dlsym(load(argv[2]), "kept_for_late") = last.mine;
	return 0;
}

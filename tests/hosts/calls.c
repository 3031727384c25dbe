/*
 * Every intercepted function, by each of its names: one success and the easy
 * failures. Bare and preloaded it must say the same, number for number.
 *
 *   calls             the tests
 *   calls main        but not of their other names
 *   calls exports LIB the names that LIB has to export and does, one a line
 */
#include "calls.h"
#include "calls_sockets.h"
#include "calls_processes.h"

#include <dlfcn.h>

#define CALL(returns, name, parameters) returns (*p_##name) parameters;
#define END(returns, name, parameters) CALL(returns, name, parameters)
#include <halfclose/calls.def>

static const struct row {
	const char *name;
	bool other;
	void *pointer;
	void (*test)(void);
} rows[] = {
#define CALL(returns, name, parameters) { #name, false, &p_##name, test_##name },
#define END(returns, name, parameters) CALL(returns, name, parameters)
#define ALIAS(name, of) { #name, true, &p_##of, test_##of },
#include <halfclose/calls.def>
};
enum { ROWS = sizeof rows / sizeof *rows };

static void resolve(const struct row *row)
{
	void *found = dlsym(RTLD_DEFAULT, row->name);
	if (!found)
		errx(2, "libc has no %s", row->name);
	memcpy(row->pointer, &found, sizeof found);
}

static int exports(const char *library)
{
	Dl_info in;
	void *handle = dlopen(library, RTLD_NOW), *found;
	if (!handle)
		errx(2, "%s", dlerror());
	for (int i = 0; i < ROWS; i++) {
		found = dlsym(handle, rows[i].name);
		if (found && dladdr(found, &in) && strstr(in.dli_fname, "libhalfclose"))
			puts(rows[i].name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exports"))
		return exports(argv[2]);
	for (int i = 0; i < ROWS; i++)
		resolve(&rows[i]);
	for (int i = 0; i < ROWS; i++) {
		if (rows[i].other && argc == 2)
			continue;
		resolve(&rows[i]);
		say("%s:\n", rows[i].name);
		rows[i].test();
	}
	return 0;
}

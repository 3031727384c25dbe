/* halfclose: runs programs under libhalfclose.so and reviews what was recorded. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "say.h"

#ifndef HC_VERSION_TEXT
#define HC_VERSION_TEXT "0.1.0"
#endif

static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("standard output can't be written");
	return status == STATUS_OK || status == STATUS_WORSE ? STATUS_FAILED : status;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : NULL;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (!name) {
		complain("which command? See 'halfclose help'");
		return STATUS_USAGE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("halfclose " HC_VERSION_TEXT);
		return finish(STATUS_OK);
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	command = command_named(name);
	if (!command)
		return command_unknown(name);
	return finish(command->run(command, argc - 1, argv + 1));
}

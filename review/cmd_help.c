#include <stdio.h>

#include "command.h"
#include "say.h"

static int all_commands(void)
{
	puts("Usage: halfclose COMMAND [OPTION...] [ARGUMENT...]\n\n"
	     "Shows how the TCP connections of unmodified programs end, and which ends were\n"
	     "abrupt.\n\nCommands:");
	for (const struct command *command = commands; command->name; command++)
		printf("  %-8s %s\n", command->name, command->summary);
	puts("\n'halfclose help COMMAND' explains one; 'halfclose --version' tells the version.");
	return STATUS_OK;
}

int help_command(const struct command *self, int argc, char **argv)
{
	const struct command *command;
	char *help;
	int status;

	if (!command_parse(self, &argc, &argv, &status))
		return status;
	if (argc < 2)
		return all_commands();
	command = command_named(argv[1]);
	if (!command)
		return command_unknown(argv[1]);
	help = command_help(command);
	fputs(help, stdout);
	g_free(help);
	return STATUS_OK;
}

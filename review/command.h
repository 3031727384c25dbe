/*
 * A subcommand is one file, cmd_NAME.c, and one row in command.c's table, from
 * which dispatch and help come.
 */
#ifndef REVIEW_COMMAND_H
#define REVIEW_COMMAND_H

#include <glib.h>

struct command {
	const char *name;
	int (*run)(const struct command *command, int argc,
	           char **argv);              /* argv[0] is its name; returns an exit status */
	const char *summary;                  /* a line */
	const char *usage;                    /* what follows the options */
	const char *more;                     /* for its help: what else there is to know, exit status */
	const GOptionEntry *(*options)(void); /* ends with an entry of zeros; NULL: none */
	gboolean stops_at_operand;            /* options behind the first operand belong to somebody else */
};

extern const struct command commands[]; /* a name of NULL ends it */

const struct command *command_named(const char *name);
int command_unknown(const char *name); /* says so; the exit status */

/* Takes the options out of argv. False: it was told on standard error, or help
 * was asked for and given; *status is the exit status. */
gboolean command_parse(const struct command *command, int *argc, char ***argv, int *status);

/* The text of `halfclose help NAME`, freed by g_free(). */
char *command_help(const struct command *command);

int run_command(const struct command *command, int argc, char **argv);
int top_command(const struct command *command, int argc, char **argv);
int show_command(const struct command *command, int argc, char **argv);
int log_command(const struct command *command, int argc, char **argv);
int report_command(const struct command *command, int argc, char **argv);
int diff_command(const struct command *command, int argc, char **argv);
int ps_command(const struct command *command, int argc, char **argv);
int help_command(const struct command *command, int argc, char **argv);

const GOptionEntry *run_options(void);
const GOptionEntry *top_options(void);
const GOptionEntry *show_options(void);
const GOptionEntry *log_options(void);
const GOptionEntry *report_options(void);
const GOptionEntry *diff_options(void);
const GOptionEntry *ps_options(void);

#endif

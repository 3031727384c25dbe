/*
 * Manual pages and completions are written from the tables that the library, the
 * command and the drain are made of. A template is copied; a line `@PART@` or
 * `@PART ARGUMENT@` in it gives its place to a part derived from a table.
 */
#ifndef PACKAGING_DERIVE_H
#define PACKAGING_DERIVE_H

#include <glib.h>
#include <stdio.h>

#include "../../review/command.h"

struct part {
	const char *name;
	void (*write)(FILE *out, const char *argument); /* argument: "" where there is none */
};

extern const struct part manual_parts[], value_parts[], bash_parts[], zsh_parts[]; /* a name of NULL ends each */

/* ---- what the tables say, for all of the parts ---- */

struct variable {
	const char *name, *type, *preset, *values, *meaning; /* options.def */
};

extern const struct variable variables[]; /* a name of NULL ends it */

struct drain_option {
	const char *name, *argument, *preset, *meaning; /* drain/options.def */
};

extern const struct drain_option drain_options[];

/* What a word on the command line may be. */
enum kind { KIND_nothing, KIND_any, KIND_file, KIND_directory, KIND_process, KIND_program, KIND_words, KIND_list };

struct values {
	enum kind kind;
	char **words; /* of KIND_words, and of KIND_list, which takes several with commas between */
	char **alone; /* of KIND_list: what stands for itself in its place; else NULL */
};

/* The options of a command, with --help, which each has; ends with an entry of zeros. */
const GOptionEntry *options_of(const struct command *command);
struct values values_of_option(const struct command *command, const GOptionEntry *entry);
struct values values_of_operands(const struct command *command);
void values_free(struct values *values);

/* Descriptions come in lines, for GOption's help: this is one, freed by g_free(). */
char *in_one_line(const char *text);

/* ---- mdoc ---- */

void mdoc_text(FILE *out, const char *text);                    /* lines of text; a sentence begins a line */
char *mdoc_word(const char *text);                              /* one argument of a macro, freed by g_free() */
void mdoc_item(FILE *out, const char *macro, const char *text); /* .It MACRO TEXT */

#endif

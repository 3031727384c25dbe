/* Parts of the manual pages: commands, options, formats, findings. */
#include "derive.h"

#include <string.h>

#include "../../review/report.h"
#include "../../review/rules.h"
#include "../../review/teardown.h"

static void begin_list(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
}

static void end_list(FILE *out)
{
	fputs(".El\n", out);
}

static gboolean takes_value(const GOptionEntry *entry)
{
	return entry->arg != G_OPTION_ARG_NONE && !(entry->flags & G_OPTION_FLAG_NO_ARG);
}

/* Fl puts one dash before it */
static char *long_name(const char *name)
{
	char *dashed = g_strconcat("-", name, NULL), *word = mdoc_word(dashed);

	g_free(dashed);
	return word;
}

static void write_option(FILE *out, const GOptionEntry *entry)
{
	char *name = long_name(entry->long_name), *argument = NULL;

	fputs(".It", out);
	if (entry->short_name)
		fprintf(out, " Fl %c ,", entry->short_name);
	fprintf(out, " Fl %s", name);
	if (takes_value(entry)) {
		argument = mdoc_word(entry->arg_description ? entry->arg_description : "VALUE");
		fprintf(out, entry->flags & G_OPTION_FLAG_OPTIONAL_ARG ? " Ns Oo = Ns Ar %s Oc" : " Ns = Ns Ar %s",
		        argument);
	}
	fputc('\n', out);
	mdoc_text(out, entry->description);
	g_free(argument);
	g_free(name);
}

static void write_usage(FILE *out, const struct command *command)
{
	char *usage = mdoc_word(command->usage);

	fprintf(out, ".Nm halfclose %s\n.Op Ar option ...\n", command->name);
	if (*command->usage)
		fprintf(out, ".Ar %s\n", usage);
	g_free(usage);
}

static void write_synopsis(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++)
		write_usage(out, command);
}

static void write_more(FILE *out, const char *more)
{
	char **paragraphs = g_strsplit(more, "\n\n", -1);

	for (unsigned i = 0; paragraphs[i]; i++) {
		fputs(".Pp\n", out);
		mdoc_text(out, paragraphs[i]);
	}
	g_strfreev(paragraphs);
}

/* "closed with input unread" -> "Closed with input unread." */
static void write_sentence(FILE *out, const char *text)
{
	char *sentence = g_strconcat(text, ".", NULL);

	sentence[0] = g_ascii_toupper(sentence[0]);
	mdoc_text(out, sentence);
	g_free(sentence);
}

static void write_command(FILE *out, const struct command *command)
{
	fprintf(out, ".Ss halfclose %s\n", command->name);
	write_sentence(out, command->summary);
	fputs(".Pp\n.Bd -ragged -offset indent -compact\n", out);
	write_usage(out, command);
	fputs(".Ed\n", out);
	begin_list(out);
	for (const GOptionEntry *entry = options_of(command); entry->long_name; entry++)
		write_option(out, entry);
	end_list(out);
	write_more(out, command->more);
}

static void write_commands(FILE *out, const char *argument)
{
	(void)argument;
	for (const struct command *command = commands; command->name; command++)
		write_command(out, command);
}

static void write_drain_options(FILE *out, const char *argument)
{
	(void)argument;
	begin_list(out);
	for (const struct drain_option *option = drain_options; option->name; option++) {
		char *name = long_name(option->name);

		fprintf(out, ".It Fl %s", name);
		if (*option->argument)
			fprintf(out, " Ns = Ns Ar %s", option->argument);
		fputc('\n', out);
		mdoc_text(out, option->meaning);
		if (*option->preset) {
			char *preset = g_strconcat("[", option->preset, "]", NULL);

			mdoc_text(out, preset);
			g_free(preset);
		}
		g_free(name);
	}
	end_list(out);
}

static void write_formats(FILE *out, const char *argument)
{
	const char **names = report_format_names();

	(void)argument;
	begin_list(out);
	for (unsigned i = 0; names[i]; i++) {
		const struct report_format *format = report_format_named(names[i]);

		mdoc_item(out, "Cm", format->name);
		mdoc_text(out, format->meaning);
	}
	end_list(out);
	g_free(names);
}

static void write_labelled(FILE *out, const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(out, ".Pp\n.Em %s\n", label);
	mdoc_text(out, text);
}

static void write_findings(FILE *out, const char *argument)
{
	(void)argument;
	begin_list(out);
	for (const struct rule *rule = rules; rule->id; rule++) {
		char *id = mdoc_word(rule->id);

		fprintf(out, ".It Cm %s Pq %s\n", id, severity_name(rule->severity));
		write_sentence(out, rule->title);
		mdoc_text(out, rule->means);
		write_labelled(out, "The peer sees:", rule->peer);
		write_labelled(out, "Bytes lost:", rule->lost);
		write_labelled(out, "The cure:", rule->advice);
		g_free(id);
	}
	end_list(out);
}

static void write_teardowns(FILE *out, const char *argument)
{
	(void)argument;
	begin_list(out);
	for (unsigned i = 0; i < TEARDOWNS; i++) {
		mdoc_item(out, "Cm", teardown_name((enum teardown)i));
		mdoc_text(out, teardown_meaning((enum teardown)i));
	}
	end_list(out);
}

const struct part manual_parts[] = {
	{ "synopsis", write_synopsis },
	{ "commands", write_commands },
	{ "drain-options", write_drain_options },
	{ "formats", write_formats },
	{ "findings", write_findings },
	{ "teardowns", write_teardowns },
	{ 0 },
};

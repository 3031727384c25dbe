/* Parts of the manual pages: the environment, what is intercepted, events and their values. */
#include "derive.h"

#include <stdlib.h>
#include <string.h>

#include "../../review/events.h"

static void write_environment(FILE *out, const char *argument)
{
	(void)argument;
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct variable *variable = variables; variable->name; variable++) {
		char *values = mdoc_word(variable->values), *preset = mdoc_word(variable->preset);

		fprintf(out, ".It Ev HALFCLOSE_%s Ns = Ns Ar %s\n", variable->name, values);
		mdoc_text(out, variable->meaning);
		if (*variable->preset)
			fprintf(out, ".Pq default : Cm %s\n", preset);
		g_free(preset);
		g_free(values);
	}
	fputs(".El\n", out);
}

static const struct {
	const char *row, *name;
} calls[] = {
#define CALL(returns, name, parameters) { "CALL", #name },
#define END(returns, name, parameters) { "END", #name },
#define ALIAS(name, of) { "ALIAS", #name },
#include <halfclose/calls.def>
};

/* @calls END@: those that can end a descriptor; and so on */
static void write_calls(FILE *out, const char *argument)
{
	unsigned left = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
		left += !strcmp(calls[i].row, argument);
	for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
		if (!strcmp(calls[i].row, argument))
			fprintf(out, ".Fn %s%s\n", calls[i].name, --left ? " ," : " .");
}

static void write_field(FILE *out, const struct field *field)
{
	char *name = mdoc_word(field->name);

	fprintf(out, ".It Va %s%s%s\n", name, *field->unit ? " Pq " : "", field->unit);
	mdoc_text(out, field->meaning);
	g_free(name);
}

static void write_events(FILE *out, const char *argument)
{
	(void)argument;
	fputs(".Bl -tag -width Ds\n", out);
	for (unsigned i = 1; i < HC_EVENTS; i++) {
		const struct event_kind *kind = event_kind(i);

		mdoc_item(out, "Cm", kind->name);
		mdoc_text(out, kind->meaning);
		fputs(".Bl -tag -width received -compact\n", out);
		for (const struct field *field = kind->fields; field->name; field++)
			write_field(out, field);
		fputs(".El\n", out);
	}
	fputs(".El\n", out);
}

struct value {
	const char *text, *meaning;
};

static const struct value outcomes[] = {
#define OUTCOME(name, text, meaning) { text, meaning },
#include <halfclose/names.def>
	{ 0 },
};
static const struct value results[] = {
#define RESULT(name, text, meaning) { text, meaning },
#include <halfclose/names.def>
	{ 0 },
};
static const struct value bys[] = {
#define BY(name, text, meaning) { text, meaning },
#include <halfclose/names.def>
	{ 0 },
};
static const struct value flags[] = {
#define FLAG(name, text, meaning) { text, meaning },
#include <halfclose/names.def>
	{ 0 },
};

/* Explained, or names alone: those of a type's numbers. */
static const struct {
	const char *name;
	const struct value *explained;
	enum field_type type;
	unsigned count;
} named[] = {
	{ "outcome", outcomes, 0, 0 },
	{ "result", results, 0, 0 },
	{ "by", bys, 0, 0 },
	{ "flags", flags, 0, 0 },
	{ "state", NULL, FIELD_state, HC_STATES },
	{ "side", NULL, FIELD_side, HC_SIDES },
	{ "how", NULL, FIELD_how, HC_HOWS },
	{ "via", NULL, FIELD_via, HC_VIAS },
	{ "start", NULL, FIELD_start, HC_STARTS },
};

static void write_explained(FILE *out, const struct value *value)
{
	fputs(".Bl -tag -width Ds -compact\n", out);
	for (; value->text; value++) {
		mdoc_item(out, "Cm", value->text);
		mdoc_text(out, value->meaning);
	}
	fputs(".El\n", out);
}

static void write_names(FILE *out, enum field_type type, unsigned count)
{
	const char *before = NULL;

	for (unsigned i = 0; i <= count; i++) {
		const char *name = i < count ? value_name(type, i) : NULL;
		char *word = before ? mdoc_word(before) : NULL;

		if (before && (i == count || (name && *name)))
			fprintf(out, ".Cm %s %s\n", word, i < count ? "," : ".");
		if (name && *name)
			before = name;
		g_free(word);
	}
}

/* @values FIELD@ */
static void write_values(FILE *out, const char *argument)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(named); i++) {
		if (strcmp(named[i].name, argument) != 0)
			continue;
		if (named[i].explained)
			write_explained(out, named[i].explained);
		else
			write_names(out, named[i].type, named[i].count);
		return;
	}
	fprintf(stderr, "derive: no field has the values '%s'\n", argument);
	exit(1);
}

const struct part value_parts[] = {
	{ "environment", write_environment },
	{ "calls", write_calls },
	{ "events", write_events },
	{ "values", write_values },
	{ 0 },
};

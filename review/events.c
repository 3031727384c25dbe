/* The table of events and fields, and the access to them. Pure: no input or output. */
#include "events.h"

#include <glib.h>
#include <string.h>

/* One function for each event, so that FIELD can name its struct. */
/* clang-format off */
#define EVENT(name, kind, meaning) \
	static const struct field *fields_of_##name(void) \
	{ \
		typedef struct hc_##name self; \
		static const struct field fields[] = {
#define FIELD(type, name, unit, meaning) \
			{ #name, unit, meaning, FIELD_##type, offsetof(self, name), sizeof(hc_type_##type) },
#define END_EVENT(name) \
			{ 0 } \
		}; \
		return fields; \
	}
/* clang-format on */
#include <halfclose/events.def>

#define COMMON_PROCESS false, sizeof(struct hc_record)
#define COMMON_SOCKET true, sizeof(struct hc_record) + sizeof(struct hc_socket)

const struct event_kind *event_kind(unsigned kind)
{
	static struct event_kind kinds[HC_EVENTS] = {
		{ 0 },
#define EVENT(name, kind, meaning) { #name, meaning, COMMON_##kind, sizeof(struct hc_##name), NULL },
#define FIELD(type, name, unit, meaning)
#define END_EVENT(name)
#include <halfclose/events.def>
	};

	if (!kinds[1].fields) {
#define EVENT(name, kind, meaning) kinds[HC_EVENT_##name].fields = fields_of_##name();
#define FIELD(type, name, unit, meaning)
#define END_EVENT(name)
#include <halfclose/events.def>
	}
	return kind > HC_EVENT_NULL && kind < HC_EVENTS ? &kinds[kind] : NULL;
}

enum hc_event event_kind_named(const char *name)
{
	for (unsigned kind = 1; kind < HC_EVENTS; kind++)
		if (!strcmp(event_kind(kind)->name, name))
			return (enum hc_event)kind;
	return HC_EVENT_NULL;
}

static const char *const hows[] = {
#define CALL(returns, name, parameters)
#define END(returns, name, parameters) [HC_HOW_##name] = #name,
#include <halfclose/calls.def>
	[HC_HOW_exec] = "exec",
	[HC_HOW_return] = "return",
};
static const char *const states[] = {
#define STATE(name, text, tcp) [HC_STATE_##name] = text,
#include <halfclose/names.def>
};
static const char *const outcomes[] = {
#define OUTCOME(name, text, meaning) [HC_OUTCOME_##name] = text,
#include <halfclose/names.def>
};
static const char *const sides[] = {
#define SIDE(name, text) [HC_SIDE_##name] = text,
#include <halfclose/names.def>
};
static const char *const starts[] = {
#define START(name, text) [HC_START_##name] = text,
#include <halfclose/names.def>
};
static const char *const vias[] = {
#define VIA(name, text) [HC_VIA_##name] = text,
#include <halfclose/names.def>
};
static const char *const flags[] = {
#define FLAG(name, text, meaning) [HC_FLAG_BIT_##name] = text,
#include <halfclose/names.def>
};

static const struct names {
	const char *const *texts;
	size_t count;
} names_of_type[] = {
	[FIELD_how] = { hows, G_N_ELEMENTS(hows) },
	[FIELD_state] = { states, G_N_ELEMENTS(states) },
	[FIELD_outcome] = { outcomes, G_N_ELEMENTS(outcomes) },
	[FIELD_side] = { sides, G_N_ELEMENTS(sides) },
	[FIELD_start] = { starts, G_N_ELEMENTS(starts) },
	[FIELD_via] = { vias, G_N_ELEMENTS(vias) },
	[FIELD_flags] = { flags, G_N_ELEMENTS(flags) },
	[FIELD_build] = { NULL, 0 },
};

const char *value_name(enum field_type type, uint64_t value)
{
	const struct names *names = &names_of_type[type];
	const char *text = value < names->count ? names->texts[value] : NULL;

	return text && *text ? text : NULL;
}

int value_named(enum field_type type, const char *name)
{
	for (size_t value = 0; value < names_of_type[type].count; value++) {
		const char *text = value_name(type, value);

		if (text && !strcmp(text, name))
			return (int)value;
	}
	return -1;
}

static const char *const drain_names[] = {
#define RESULT(name, text, meaning) text,
#include <halfclose/names.def>
};

const char *drain_name(enum hc_result result)
{
	return drain_names[result];
}

enum hc_result drain_result(const struct event *drain)
{
	const struct hc_span result = drain->drain.result;
	const unsigned char *text = drain->bytes + result.offset;

	for (unsigned i = 0; i < HC_RESULTS; i++)
		if (strlen(drain_names[i]) == result.size && !memcmp(drain_names[i], text, result.size))
			return (enum hc_result)i;
	return HC_RESULT_error;
}

static bool is_span(enum field_type type)
{
	return type == FIELD_text || type == FIELD_stack;
}

/* What a field holds that its record is too short for. */
static int filler_of(enum field_type type)
{
	return is_span(type) || type == FIELD_address || type == FIELD_build ? 0 : 0xff;
}

static struct hc_span span_of(const struct event *event, const struct field *field)
{
	struct hc_span span;

	memcpy(&span, (const char *)&event->record + field->offset, sizeof(span));
	return span;
}

static bool span_fits(const struct event *event, struct hc_span span, enum field_type type)
{
	if (span.offset > event->size || span.size > event->size - span.offset)
		return false;
	return type != FIELD_stack || span.size % sizeof(struct hc_frame) == 0;
}

struct event *event_decode(const void *record, size_t size, unsigned *flaws)
{
	struct hc_record common;
	const struct event_kind *kind;
	struct event *event;

	if (size < sizeof(common))
		return NULL;
	memcpy(&common, record, sizeof(common));
	kind = event_kind(common.event);
	if (!kind || size < kind->common)
		return NULL;
	event = g_malloc0(sizeof(*event) + size);
	event->kind = (enum hc_event)common.event;
	event->size = (uint32_t)size;
	memcpy(event->bytes, record, size);
	memcpy(&event->record, record, MIN(size, kind->size));
	for (const struct field *field = kind->fields; field->name; field++) {
		char *at = (char *)&event->record + field->offset;

		if (field->offset + field->size > size) {
			memset(at, filler_of(field->type), field->size);
		} else if (is_span(field->type) && !span_fits(event, span_of(event, field), field->type)) {
			memset(at, 0, field->size);
			++*flaws;
		}
	}
	return event;
}

struct event *event_copy(const struct event *event)
{
	return g_memdup2(event, sizeof(*event) + event->size);
}

int event_compare(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

const struct field *event_field(const struct event *event, const char *name)
{
	for (const struct field *field = event_kind(event->kind)->fields; field->name; field++)
		if (!strcmp(field->name, name))
			return field;
	return NULL;
}

bool field_number(const struct event *event, const struct field *field, uint64_t *value)
{
	const char *at = (const char *)&event->record + field->offset;
	uint64_t wide = 0, all;

	*value = 0;
	if (is_span(field->type) || field->type == FIELD_address || field->type == FIELD_build)
		return false;
	all = field->size == 8 ? UINT64_MAX : (1ull << (8 * field->size)) - 1;
	if (field->size == 8)
		memcpy(&wide, at, 8);
	else if (field->size == 4)
		wide = *(const uint32_t *)(const void *)at;
	else
		wide = *(const uint8_t *)at;
	if (wide == all)
		return false;
	*value = wide;
	return true;
}

const char *field_text(const struct event *event, const struct field *field, size_t *size)
{
	struct hc_span span = span_of(event, field);

	*size = span.size;
	return span.size ? (const char *)event->bytes + span.offset : NULL;
}

const struct hc_address *field_address(const struct event *event, const struct field *field)
{
	return (const void *)((const char *)&event->record + field->offset);
}

const struct hc_build_id *field_build(const struct event *event, const struct field *field)
{
	return (const void *)((const char *)&event->record + field->offset);
}

size_t event_frames(const struct event *event, struct hc_frame *frames, size_t room)
{
	const struct field *field = event_field(event, "stack");
	struct hc_span span;
	size_t count;

	if (!field || field->type != FIELD_stack)
		return 0;
	span = span_of(event, field);
	count = MIN(span.size / sizeof(*frames), room);
	if (count)
		memcpy(frames, event->bytes + span.offset, count * sizeof(*frames));
	return count;
}

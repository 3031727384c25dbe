/*
 * Events, and generic access to their fields.
 *
 * Everything that walks an event's fields (log, both forms) does it through the
 * one table that events.c derives from events.def, so that a new event or field
 * is one row there and none here.
 */
#ifndef REVIEW_EVENTS_H
#define REVIEW_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <halfclose/recording.h>

struct recording;

enum field_type {
	FIELD_u64,
	FIELD_id,
	FIELD_u32,
	FIELD_sock,
	FIELD_error,
	FIELD_start,
	FIELD_via,
	FIELD_state,
	FIELD_side,
	FIELD_how,
	FIELD_outcome,
	FIELD_flags,
	FIELD_text,
	FIELD_stack,
	FIELD_address,
	FIELD_build,
};

struct field {
	const char *name; /* NULL ends a list */
	const char *unit, *meaning;
	enum field_type type;
	size_t offset, size; /* in the event's struct */
};

struct event_kind {
	const char *name, *meaning;
	bool socket;   /* struct hc_socket follows the common part */
	size_t common; /* bytes that each record of the kind must have */
	size_t size;   /* of its struct */
	const struct field *fields;
};

/* An event as read: owned by whoever got it, freed by g_free(). */
struct event {
	struct recording *recording; /* not owned; lives as long as the reader */
	enum hc_event kind;
	uint64_t order; /* ns; comparable over all recordings that are read together */
	uint64_t slot;  /* where it was found: breaks ties */
	union {
		struct hc_record record;
		struct {
			struct hc_record record;
			struct hc_socket socket;
		} common;
#define EVENT(name, kind, meaning) struct hc_##name name;
#define FIELD(type, name, unit, meaning)
#define END_EVENT(name)
#include <halfclose/events.def>
	};
	uint32_t size;                     /* of bytes */
	_Alignas(8) unsigned char bytes[]; /* the record as it was written; spans point into it */
};

/* NULL where the number is none that this reader knows */
const struct event_kind *event_kind(unsigned kind);
enum hc_event event_kind_named(const char *name); /* HC_EVENT_NULL: none */

/* Makes an event of a record of `size` bytes, whose mark and slots were checked.
 * NULL: it is no record of a known kind. *flaws counts spans that point outside. */
struct event *event_decode(const void *record, size_t size, unsigned *flaws);
struct event *event_copy(const struct event *event);
int event_compare(const void *a, const void *b); /* by time */

const struct field *event_field(const struct event *event, const char *name);

/* False: not known, and *value is 0. Numbers and everything with named values. */
bool field_number(const struct event *event, const struct field *field, uint64_t *value);
/* Bytes in the event, not terminated; NULL with *size 0: not known. */
const char *field_text(const struct event *event, const struct field *field, size_t *size);
const struct hc_address *field_address(const struct event *event, const struct field *field);
const struct hc_build_id *field_build(const struct event *event, const struct field *field);
/* How many frames were copied to `frames`, at most `room`. */
size_t event_frames(const struct event *event, struct hc_frame *frames, size_t room);

/* The name of a value; NULL where it has none. */
const char *value_name(enum field_type type, uint64_t value);
/* Its number; -1 where there is none. */
int value_named(enum field_type type, const char *name);

/* How a drain ended; where this reader does not know the word: HC_RESULT_error. */
enum hc_result drain_result(const struct event *drain);
const char *drain_name(enum hc_result result);

/* The common numbers that the judgement needs: ~0 in the file means not known. */
static inline bool known64(uint64_t value)
{
	return value != UINT64_MAX;
}

static inline uint64_t known_or_zero(uint64_t value)
{
	return known64(value) ? value : 0;
}

/* What a file says may be anything: a sum stays at the largest number, and is never a small one. */
static inline void add_up(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

#endif

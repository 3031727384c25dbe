/* Records of any length and content become events, or nothing; never trouble. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

static struct event *decode(void *record, size_t size, unsigned kind, unsigned *flaws)
{
	((struct hc_record *)record)->event = (uint16_t)kind;
	*flaws = 0;
	return event_decode(record, size, flaws);
}

static void test_short_record(void **state)
{
	_Alignas(8) unsigned char bytes[64] = { 0 };
	unsigned flaws;
	struct event *event = decode(bytes, sizeof(bytes), HC_EVENT_close, &flaws);
	uint64_t value;

	(void)state;
	assert_non_null(event);
	assert_int_equal(flaws, 0);
	assert_true(event->close.us == UINT64_MAX); /* lies behind its end */
	assert_int_equal(event->close.stack.size, 0);
	assert_false(field_number(event, event_field(event, "us"), &value));
	assert_true(field_number(event, event_field(event, "how"), &value));
	g_free(event);
	assert_null(decode(bytes, 47, HC_EVENT_close, &flaws));
	assert_null(decode(bytes, 23, HC_EVENT_exit, &flaws));
}

static void test_unknown_kinds(void **state)
{
	_Alignas(8) unsigned char bytes[64] = { 0 };
	unsigned flaws;

	(void)state;
	assert_null(decode(bytes, sizeof(bytes), HC_EVENT_NULL, &flaws));
	assert_null(decode(bytes, sizeof(bytes), HC_EVENTS, &flaws));
	assert_null(decode(bytes, sizeof(bytes), 65535, &flaws));
}

static void test_spans(void **state)
{
	static const struct {
		struct hc_span span;
		bool fits;
	} spans[] = {
		{ { 0, 128 }, true },         { { 128, 0 }, true },
		{ { 0, 129 }, false },        { { 129, 0 }, false },
		{ { 127, 1 }, true },         { { 127, 2 }, false },
		{ { UINT32_MAX, 1 }, false }, { { 1, UINT32_MAX }, false },
		{ { 64, 64 }, true },         { { UINT32_MAX, UINT32_MAX }, false },
	};
	_Alignas(8) unsigned char bytes[128] = { 0 };
	struct hc_process *process = (void *)bytes;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
		unsigned flaws;
		struct event *event;
		size_t size;

		process->exe = spans[i].span;
		event = decode(bytes, sizeof(bytes), HC_EVENT_process, &flaws);
		assert_int_equal(flaws, !spans[i].fits);
		field_text(event, event_field(event, "exe"), &size);
		assert_int_equal(size, spans[i].fits ? spans[i].span.size : 0);
		g_free(event);
	}
}

/* Every field of every event, of random bytes: the sanitizers watch. */
static void test_random_records(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 20000; round++) {
		size_t size = (size_t)(1 + rand() % 12) * HC_SLOT_SIZE;
		unsigned char *bytes = g_malloc(size);
		struct hc_frame frames[4];
		struct event *event;
		unsigned flaws;

		for (size_t i = 0; i < size; i++)
			bytes[i] = rand() % 3 ? 0 : (unsigned char)rand();
		event = decode(bytes, size, 1 + (unsigned)rand() % (HC_EVENTS - 1), &flaws);
		g_free(bytes);
		if (!event)
			continue;
		for (const struct field *field = event_kind(event->kind)->fields; field->name; field++) {
			uint64_t value;
			size_t length;
			const char *text;

			if (field_number(event, field, &value))
				value_name(field->type, value);
			if (field->type == FIELD_text && (text = field_text(event, field, &length)))
				assert_true(length == 0 || memchr(text, text[length - 1], length));
		}
		event_frames(event, frames, G_N_ELEMENTS(frames));
		g_free(event);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(value_name(FIELD_state, HC_STATE_close_wait), "CLOSE-WAIT");
	assert_null(value_name(FIELD_state, HC_STATE_unknown));
	assert_null(value_name(FIELD_state, 200));
	assert_string_equal(value_name(FIELD_how, HC_HOW_close), "close");
	assert_string_equal(value_name(FIELD_how, HC_HOW_return), "return");
	assert_int_equal(value_named(FIELD_outcome, "reset-unread"), HC_OUTCOME_reset_unread);
	assert_int_equal(value_named(FIELD_side, "rdwr"), HC_SIDE_rdwr);
	assert_int_equal(event_kind_named("close"), HC_EVENT_close);
	assert_int_equal(event_kind_named("nothing"), HC_EVENT_NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_record), cmocka_unit_test(test_unknown_kinds),
		cmocka_unit_test(test_spans),        cmocka_unit_test(test_random_records),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

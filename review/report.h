/*
 * What is reported, and what a format of the report implements.
 *
 * A format is a row in report.c's table. Its callbacks come in this order, and
 * any of them may be NULL:
 *   begin       nothing is known yet but which files are read; there is at least one
 *   found       for each connection of a finding, before `connection`
 *   connection  for each connection, when it is judged (memory stays bounded:
 *               a format that lists them writes them here)
 *   summary     all is read, the members below are final
 *   finding     for each, most harmful first
 *   end
 */
#ifndef REVIEW_REPORT_H
#define REVIEW_REPORT_H

#include <stdio.h>

#include "findings.h"
#include "timeline.h"

#define REPORT_SCHEMA 1u /* of the report as JSON, and of a comparison */

struct report;

struct report_format {
	const char *name, *meaning;
	void (*begin)(struct report *report);
	void (*found)(struct report *report, const struct finding *finding, const struct connection *connection,
	              uint64_t bytes);
	void (*connection)(struct report *report, const struct connection *connection);
	void (*summary)(struct report *report);
	void (*finding)(struct report *report, const struct finding *finding);
	void (*end)(struct report *report);
};

struct time_wait {
	uint64_t accepted, connected;
	GHashTable *ports; /* local port of an accepting side -> count (pointers to numbers) */
};

struct report_settings {
	const struct report_format *format;
	const char *source_root;           /* paths below it are told relative to it; NULL: none was given */
	struct suppressions *suppressions; /* NULL: none were given; they outlive the report */
};

struct report {
	const struct report_format *format;
	const char *source_root;
	FILE *out;
	bool colour;
	void *state; /* the format's own, which it frees in end */

	struct timeline *timeline;
	struct processes *processes;
	struct connections *connections;
	struct findings *findings;

	uint64_t events;
	uint64_t first, last; /* struct event's order */
	uint64_t count;       /* connections */
	uint64_t teardowns[TEARDOWNS];
	uint64_t unread_bytes;  /* of all connections that were closed */
	uint64_t unacked_bytes; /* of those that were reset by us */
	uint64_t drains[HC_RESULTS], drained_bytes;
	uint64_t saved, saved_bytes;          /* drains by whose end more had been acknowledged; how much */
	uint64_t conversations;               /* connections of which both ends were recorded */
	uint64_t pairs[TEARDOWNS][TEARDOWNS]; /* of them: how the ends ended, the smaller first */
	struct time_wait time_wait;
	GHashTable *open_by_pid; /* pid -> connections still open (pointers to numbers) */
};

/* NULL where there is none of that name. */
const struct report_format *report_format_named(const char *name);
const char **report_format_names(void); /* NULL-terminated, freed by g_free() */

/* Reads the files, judges, and writes. */
struct report *report_read(char *const *paths, const struct report_format *format, FILE *out);
struct report *report_read_with(char *const *paths, const struct report_settings *settings, FILE *out);
void report_write(struct report *report);
void report_free(struct report *report);

unsigned report_open_of(const struct report *report, unsigned pid);
uint64_t report_lost(const struct report *report);      /* events that could not be recorded */
uint64_t report_damaged(const struct report *report);   /* slots that hold no record, or are cut off */
uint64_t report_unwritten(const struct report *report); /* slots that a writer took and left */
uint64_t report_unknown(const struct report *report);   /* events of a kind that came later */
uint64_t report_drains(const struct report *report);    /* whose end was recorded */

/* TIME-WAIT stays with the side that sent the first FIN, unless a reset came. */
bool leaves_time_wait(const struct connection *connection);

struct json;
/* The JSON report's parts, for a format that has it inside: an object's members up to
 * its findings, whose array is left open; a finding's members. */
void report_json_head(const struct report *report, struct json *json);
void report_json_finding(struct json *json, const struct finding *finding);

extern const struct report_format report_text, report_summary, report_json, report_html, report_csv, report_sarif,
    report_trace, report_folded, report_folded_unacked, report_folded_count, report_openmetrics, report_prometheus,
    report_suppressions;

#endif

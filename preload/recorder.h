/*
 * One event -> one record in the mapped file. No descriptor is kept; a record
 * is a handful of stores. Lock-free, and safe in signal handlers.
 */
#ifndef HALFCLOSE_RECORDER_H
#define HALFCLOSE_RECORDER_H

#include <halfclose/recording.h>

#include <stdbool.h>

/* Makes or joins the recording at `path`, at most `limit` bytes, and maps it.
 * Returns NULL, or why not; a static string. */
const char *hc_recorder_open(const char *path, uint64_t limit);

/* The number of a process in the recording; each call gives a new one. */
uint32_t hc_recorder_number(void);

/* Takes the space of an event and `tail` bytes behind its struct, all zero but
 * for the common part. NULL: it can't be recorded, which is counted. What it
 * returned must be filled and committed; what is never committed is a hole. */
void *hc_record(enum hc_event event, size_t tail);
void *hc_record_at(enum hc_event event, size_t tail, uint64_t t);
void hc_commit(void *event);

/* Appends bytes to the tail: `*used` counts what is taken already, from 0. */
struct hc_span hc_tail(void *event, size_t *used, const void *bytes, size_t size);

/* Makes room that later events can use without a system call. */
void hc_recorder_stock_up(void);

#endif

/*
 * Single connections that the page shows: all, while they are few, and of each
 * finding those that lost most.
 */
#ifndef REVIEW_ROWS_H
#define REVIEW_ROWS_H

#include "cells.h"

struct row {
	struct group *at[AXES];
	unsigned kind, number;
	uint32_t pid;
	int fd;
	uint64_t born, shut, close, drain; /* orders; 0: none */
	char *local, *peer;                /* NULL: not known */
	const char *how;                   /* NULL: not known */
	uint64_t unread, unacked, sent, received;
	bool time_wait; /* where all are kept */
	unsigned references;
};

struct found_row {
	struct row *row;
	uint64_t bytes; /* that it lost, as the finding says */
};

struct rows {
	GPtrArray *all;        /* every connection; NULL: they were too many */
	GHashTable *by_number; /* number -> struct row * */
	GHashTable *found;     /* struct finding * -> GArray of struct found_row, those that lost most first */
	unsigned each, total;  /* private: at most so many of a finding; how many there are */
};

extern unsigned rows_limit, rows_found_limit; /* tests have smaller ones */

struct rows *rows_new(void);
void rows_free(struct rows *rows);

void rows_add(struct rows *rows, struct cells *cells, const struct connection *connection, bool time_wait);
void rows_found(struct rows *rows, struct cells *cells, const struct finding *finding,
                const struct connection *connection, uint64_t bytes);

/* In the order of their beginnings; freed by the caller. */
GPtrArray *rows_sorted(const struct rows *rows);

#endif

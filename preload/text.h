/*
 * Lines of text in a fixed space, cut where it ends: what the library has in
 * place of stdio. Safe in signal handlers.
 */
#ifndef HALFCLOSE_TEXT_H
#define HALFCLOSE_TEXT_H

#include <halfclose/recording.h>

#include <stdbool.h>

struct hc_text {
	size_t used;
	char bytes[700];
};

void hc_put(struct hc_text *text, const char *string);
void hc_put_bytes(struct hc_text *text, const char *bytes, size_t size); /* control characters become '?' */
void hc_put_number(struct hc_text *text, uint64_t number);
void hc_put_grouped(struct hc_text *text, uint64_t number); /* 1,234,567 */
void hc_put_hex(struct hc_text *text, uint64_t number);
void hc_put_address(struct hc_text *text, const struct hc_address *address);

/* The digits that `from` begins with; *end is behind them. False where there
 * are none or the number is too large. */
bool hc_read_digits(const char *from, const char **end, uint64_t *number);

#endif

/*
 * The environment, read once in the constructor and never again.
 */
#ifndef HALFCLOSE_OPTIONS_H
#define HALFCLOSE_OPTIONS_H

#include <halfclose/recording.h>

#include <stdbool.h>

typedef bool hc_option_flag;
typedef const char *hc_option_text; /* into the environment: for the constructor, but ONLY is a copy; NULL: unset */
typedef int hc_option_choice;       /* index into the row's values */
typedef uint64_t hc_option_count, hc_option_size, hc_option_duration; /* ns */
typedef unsigned hc_option_list;    /* a bit for each of the row's values, in their order */

struct hc_options {
#define OPTION(name, type, fallback, values, meaning) hc_option_##type name;
#include <halfclose/options.def>
};

enum { HC_WARN_AUTO, HC_WARN_STDERR, HC_WARN_OFF };
enum { HC_STACK_OFF, HC_STACK_FINDINGS, HC_STACK_ALL, HC_STACK_OPENS };
enum { HC_SOCKETS_TCP, HC_SOCKETS_TCP_UNIX };
enum { HC_GRACEFUL_UNREAD = 1, HC_GRACEFUL_LATE = 2, HC_GRACEFUL_LINGER0 = 4, HC_GRACEFUL_RDWR = 8 };
enum { HC_DRAIN_NOW, HC_DRAIN_WAIT, HC_DRAIN_HELPER };

extern struct hc_options hc_options;

/* Reads HALFCLOSE_* from envp. `complain` gets one line, without its newline,
 * for each value that can't be read and each name that is not known; the
 * default is used then. */
void hc_options_read(char *const envp[], void (*complain)(const char *line));

/* The options that were set, as NAME=VALUE separated by spaces, without their
 * prefix. Returns the length, cut at size. */
size_t hc_options_text(char *const envp[], char *text, size_t size);

#endif

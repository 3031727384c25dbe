/*
 * The kernel's own count of the connections that it reset, in this network
 * namespace.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct counters {
	uint64_t on_close; /* TCPAbortOnClose */
	uint64_t on_data;  /* TCPAbortOnData */
};

/* How many words come before this one in the line? */
static inline int place_of_name(const char *line, const char *name)
{
	int place = 0;
	size_t length = strlen(name);
	for (const char *at = line; at && *at != '\n'; place++) {
		if (!strncmp(at, name, length) && (at[length] == ' ' || at[length] == '\n'))
			return place;
		at = strpbrk(at, " \n");
		at = at && *at == ' ' ? at + 1 : NULL;
	}
	errx(2, "no counter %s", name);
}

static inline uint64_t number_at(const char *line, int place)
{
	while (place-- && (line = strchr(line, ' ')))
		line++;
	return line ? strtoull(line, NULL, 10) : 0;
}

/* The line of names comes before the line of numbers. */
static inline struct counters counters(void)
{
	static int fd = -1, on_close, on_data;
	static char text[16384];
	if (fd < 0 && (fd = open("/proc/net/netstat", O_RDONLY | O_CLOEXEC)) < 0)
		err(2, "/proc/net/netstat");
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	const char *numbers = strchr(text, '\n');
	if (!numbers || strncmp(text, "TcpExt: ", 8) || strncmp(++numbers, "TcpExt: ", 8))
		errx(2, "no counters");
	if (!on_close) {
		on_close = place_of_name(text, "TCPAbortOnClose");
		on_data = place_of_name(text, "TCPAbortOnData");
	}
	return (struct counters){ number_at(numbers, on_close), number_at(numbers, on_data) };
}

#endif

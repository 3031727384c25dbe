/*
 * What the examples share: finding each other on the loopback interface, and
 * reading and writing that is bounded in time. How a connection ends is never in
 * here: that is what each program is about.
 */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 30000 /* after this long an example has failed */
#define PATIENCE_MS 3000  /* "for ever", where an example shows that nothing comes */

#define WELCOME "Welcome to Network Server\n"

/* What came in, and what came after it. */
struct input {
	size_t bytes;
	char text[64];	 /* the first of them */
	const char *end; /* "end of file", "nothing for …" or the errno's name */
};

/* argv: [ADDRESS [PORT]]; option: SO_REUSEADDR or 0. Prints where it listens. */
int listen_on(int argc, char **argv, int option);
int accept_one(int listener);

/* argv: ADDRESS PORT */
int connect_to(int argc, char **argv);

/* 0, or -1 and errno; a broken connection kills nobody. */
int write_all(int fd, const void *bytes, size_t size);

/* Reads until the peer ends, or is silent for so long. */
struct input read_all(int fd, int silence_ms);

/* Until so many bytes have arrived; they stay unread. */
void wait_unread(int fd, int bytes);

/* Until so many connections wait in a listener's queue. */
void wait_queue(int listener, unsigned connections);

/* Until the peer has ended its direction. */
void wait_ended(int fd);

/* Until the peer has acknowledged all that was written: "acknowledged", or the errno's name. */
const char *wait_acknowledged(int fd);

/* Writes until the peer's receive buffer and our send buffer are full: the number of bytes. */
size_t fill_buffers(int fd);

/* Written, and not acknowledged by the peer. */
int unacknowledged(int fd);

/* errno's name. */
const char *error_name(void);

/* Prints what failed and errno's name, and ends the program. */
void die(const char *what) __attribute__((noreturn));

#endif

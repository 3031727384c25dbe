/*
 * Sockets that cross the border of the program, written down.
 */
#ifndef HALFCLOSE_CROSSING_H
#define HALFCLOSE_CROSSING_H

#include <halfclose/recording.h>

/* Writes the adopt event of a descriptor that is in the table, and the pass
 * event of one that goes out; with the cookie, by which the two are one socket. */
void hc_record_adopted(int fd, enum hc_via via);
void hc_record_passed(int fd, enum hc_via via);

/* Who called for a connection, into frames (HC_STACK_MAX of them): how many there
 * are; 0 unless HALFCLOSE_STACK=all. */
size_t hc_stack_of_birth(struct hc_frame *frames);

/* The descriptor is about to be kept from programs to come, or copied: if it went
 * to one already, the table is to remember that. */
void hc_note_gone(int fd);

#endif

/*
 * The processes of a family (a program and what it forks): each has a place in a
 * mapping that they share, and each may ask who of the others is alive.
 *
 * An owner is a process in its place: the place's number, and above its 16 bits a
 * generation, which tells apart those that had the place one after the other. So
 * what a dead one owned is void without being swept. No owner is 0.
 */
#ifndef HALFCLOSE_FAMILY_H
#define HALFCLOSE_FAMILY_H

#include "process.h"

struct hc_family_place {
	_Atomic int32_t pid; /* 0: free; < 0: taken, its pid not known yet */
	_Atomic uint32_t generation;
	_Atomic uint32_t namespace; /* which of the family's PID namespaces pid is of */
	_Atomic bool executed;
};

struct hc_family {
	struct hc_family_place places[8192];
	_Atomic uint32_t namespaces;
};

/* This process. 0: it has no place. */
extern uint64_t hc_family_own __attribute__((visibility("hidden")));

/* In the constructor: all is 0 in what will be shared. Takes a place in it. */
void hc_family_init(struct hc_family *shared);

/* Before a fork: the child's place, or 0 where there is none left. Afterwards in the
 * parent, where -1 is that no child came; and in the child. */
uint64_t hc_family_take(void);
void hc_family_forked(uint64_t childs, pid_t child);
void hc_family_child(uint64_t childs);

/* Has its place become free, or another's? */
bool hc_family_is_void(uint64_t owner);

/* Asks the kernel. False also where that is not to be, or can't tell; errno stays. */
bool hc_family_is_dead(uint64_t owner);

/* Has it executed another program since, or does it live in another PID namespace?
 * Then nobody knows what it holds. */
bool hc_family_is_doubtful(uint64_t owner);

/* Between these, many are asked for: who was alive at the first is taken to be alive
 * at the others, which saves a question to the kernel each. */
void hc_family_walk(bool begin);

/* This process is about to replace its program, or has failed to. */
void hc_family_exec(bool under_way);

/* This process is about to end: what it owns is void. */
void hc_family_end(void);

#endif

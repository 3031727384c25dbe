/*
 * What the hooks tell the library of its process's life.
 */
#ifndef HALFCLOSE_INIT_H
#define HALFCLOSE_INIT_H

#include "process.h"

/* Around a fork that runs no pthread_atfork handlers. */
void hc_fork_prepare(void);
void hc_fork_parent(void);
void hc_fork_told(pid_t child); /* after hc_fork_parent(), where it is known; -1: there is none */
void hc_fork_child(void);

/* The program is about to install a seccomp filter, or failed to. */
void hc_enter_sandbox(void);
void hc_leave_sandbox(void);

/* exit or quick_exit was called; the work is done after the last handler. */
void hc_note_exit(void);
void hc_note_quick_exit(int status);

#endif

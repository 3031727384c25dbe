/*
 * What a finding is called for good: equal in every run, on every machine, wherever
 * the program was loaded, and though lines were added above the call. It is made of
 * the rule, the program's file name, the call that ended the descriptor and the names
 * of the functions; only where a function has no name, of its place in the file.
 */
#ifndef REVIEW_FINGERPRINT_H
#define REVIEW_FINGERPRINT_H

#include "findings.h"

/* Sets ->fingerprint of each and, since two calls may stand in one function, ->ordinal:
 * 1 for the first of them in the source, 2 for the next. */
void fingerprint_all(const struct findings *findings);

#endif

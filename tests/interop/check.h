/*
 * What must hold of every reply whatever the peers say: it is readable, belongs to its question,
 * fits, repeats nothing, invents nothing, and its signatures verify (with ldns, against the zone's
 * own keys).
 */
#ifndef SORREL_INTEROP_CHECK_H
#define SORREL_INTEROP_CHECK_H

#include "compare.h"

/* NULL if all is well, else one clause that says what is not. */
const char *check_reply(const struct query *query, const struct reply *reply,
                        const struct view *view, const struct zone_set *zones);

/* Forgets which signatures were found good. */
void check_forget(void);

#endif

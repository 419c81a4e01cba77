/*
 * Odd and malformed messages, each with the outcome we want. Where the RFC or all peers leave no
 * doubt, the table states it; an empty expectation means: as the majority of the peers.
 */
#ifndef SORREL_INTEROP_ODD_H
#define SORREL_INTEROP_ODD_H

#include "compare.h"

/* Adds every odd message, its question about `zone`. `tcp`: those that also make sense there. */
void odd_generate(struct query_list *list, const struct zone *zone, bool tcp);

/* NULL if the reply is what the table says (or it leaves that to the peers), else what was
 * expected. */
const char *odd_check(const struct query *query, const struct view *view);

/* Does the table leave the outcome of this one to the peers? */
bool odd_is_open(const struct query *query);

#endif

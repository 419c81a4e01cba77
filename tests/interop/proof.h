/*
 * Denial proofs, judged by a validator that is not ours: BIND's delv, to which a small forger
 * serves our replies as they came and with one record of the proof left out.
 */
#ifndef SORREL_INTEROP_PROOF_H
#define SORREL_INTEROP_PROOF_H

#include "ask.h"

/*
 * Picks replies with denial proofs of every shape from those given, and counts in `proofs` how many
 * times the validator was asked and in `bad` how often it judged wrongly: refused a whole proof, or
 * accepted one with a record missing. Each of these is printed. Does nothing where delv is not
 * installed.
 */
void proof_check_all(const struct server *server, const char *directory,
                     const struct query_list *queries, const struct reply *replies,
                     const struct zone_set *zones, size_t *proofs, size_t *bad);

#endif

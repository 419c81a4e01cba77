/* Queries that a zone table is likely to have an interesting answer to. */
#ifndef SORREL_TESTS_QUERIES_H
#define SORREL_TESTS_QUERIES_H

#include "fuzz.h"
#include "table/table.h"

/* Notes every name in the table: queries are made of them. */
void queries_learn(const struct table *table);

/* Writes a query; now and then one that is malformed. Returns its length, at most `room` (600 or
 * more). */
size_t queries_make(struct fuzz_random *random, uint8_t *wire, size_t room);

#endif

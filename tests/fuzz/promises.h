/* What answer() promises of every reply, checked by decoding it with ldns. */
#ifndef SORREL_TESTS_PROMISES_H
#define SORREL_TESTS_PROMISES_H

#include "table/table.h"

#include <stddef.h>
#include <stdint.h>

/* Asks, and aborts if the reply breaks a promise. `choice` chooses transport, sizes and options. */
void promises_check(const struct table *table, uint16_t choice, const uint8_t *query,
                    size_t query_length);

#endif

/*
 * The ledger as JSON, for replies to sorrelctl; sorrelctl(8) describes the members. Functions
 * return NULL when memory is short.
 */
#ifndef SORREL_SERVER_LEDGER_JSON_H
#define SORREL_SERVER_LEDGER_JSON_H

#include "server/loading/ledger.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object: `zones`, an array of all; `zone_count` and `zone_failures`, how many there are, and of
 * them failed. */
json_t *ledger_json_zones(const struct ledger *ledger, int64_t now);

/* The same with at most `limit` zones in the array, those that failed first. Takes no longer the
 * more zones there are behind these. */
json_t *ledger_json_some_zones(const struct ledger *ledger, int64_t now, size_t limit);

/*
 * What the last load has made of the zones called `names`, an array that ends with NULL; NULL: of
 * all. `done` becomes false if one of them failed, or does not exist.
 */
json_t *ledger_json_reload(const struct ledger *ledger, const char *const *names, int64_t now,
                           bool *done);

/* The last load has ended without a table: `sentence` says why. */
json_t *ledger_json_failure(const struct ledger *ledger, const char *sentence);

#endif

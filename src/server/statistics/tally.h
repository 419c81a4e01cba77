/*
 * Arithmetic on the counters of a daemon's statistics (sorrelctl(8), JSON, `stats`), whatever
 * counters there are: sums over workers, and what has been added between two documents.
 */
#ifndef SORREL_SERVER_TALLY_H
#define SORREL_SERVER_TALLY_H

#include <jansson.h>

/* The sum of all workers' counters, those included that are no more; the caller's. */
json_t *tally_total(const json_t *stats);

/*
 * `later` with every counter less what it was in `earlier`, from the same daemon; what tells the
 * present, like queues and states, is as in `later`. "interval" is left out. The caller's.
 */
json_t *tally_change(const json_t *later, const json_t *earlier);

/* Seconds from the one to the other; 0 if they are of two daemons, or in the wrong order. */
double tally_seconds(const json_t *later, const json_t *earlier);

#endif

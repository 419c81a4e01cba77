/*
 * The document of `sorrelctl stats`: what all workers have counted, and what the kernel says of
 * their sockets. sorrelctl(8) describes it. Part of the supervisor.
 */
#ifndef SORREL_SERVER_STATS_H
#define SORREL_SERVER_STATS_H

#include "server/query/counters.h"
#include "server/worker/slot.h"

#include <jansson.h>
#include <stdint.h>

struct supervisor;

/* What the closed slots had counted at one listening address. */
struct stats_address {
    uint64_t udp_queries;
    uint64_t udp_responses;
    uint64_t tcp_queries;
    uint64_t tcp_responses;
    uint64_t drops;
};

struct stats {
    struct counters_sums retired;            /* of the closed slots */
    struct stats_address *retired_addresses; /* one for each listener; NULL: no slot was closed */
};

/* "serving", or why it is not. */
const char *stats_slot_state(const struct slot *slot);

/* What the slot has counted at all its addresses together. */
struct counters_traffic stats_slot_traffic(const struct slot *slot);

/* Keeps what a slot that is about to be closed has counted, so that no sum runs backwards. */
void stats_retire(struct supervisor *supervisor, struct slot *slot);

/* NULL: out of memory. */
json_t *stats_document(struct supervisor *supervisor);

void stats_free(struct stats *stats);

#endif

/*
 * What a worker slot's workers, one after the other, share with the supervisor: one shared
 * anonymous mapping, made before the first of them is forked. All of it is 0 at first.
 */
#ifndef SORREL_SERVER_SLOT_MEMORY_H
#define SORREL_SERVER_SLOT_MEMORY_H

#include "server/query/batch.h"
#include "server/query/counters.h"
#include "server/query/flows.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_TCP_QUERY_MAX = 512 };

/* The TCP query being answered: TCP queries die with their connection, but the supervisor says
 * which it was. length is set last and cleared first. */
struct slot_tcp_query {
    _Atomic uint32_t length; /* 0: none */
    uint8_t octets[SLOT_TCP_QUERY_MAX];
};

/* For each listening address. */
struct slot_address {
    struct batch batch;
    _Alignas(64) struct counters_traffic traffic;
    struct flows flows;
};

struct slot_memory {
    _Atomic uint32_t workers; /* that the daemon has: written by the supervisor */
    struct counters counters;
    struct slot_tcp_query tcp_query;
    _Alignas(64) struct slot_address addresses[];
};

static inline size_t slot_memory_size(size_t addresses)
{
    return sizeof(struct slot_memory) + addresses * sizeof(struct slot_address);
}

#endif

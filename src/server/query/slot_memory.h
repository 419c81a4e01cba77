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

enum { SLOT_TCP_COUNTED = UINT32_MAX };

/* The TCP query being answered: TCP queries die with their connection, but the supervisor says
 * which it was, and counts it. length is set last and cleared first. */
struct slot_tcp_query {
    _Atomic uint32_t length; /* 0: none */
    uint32_t address;        /* in slot_memory.addresses, that it came to; or SLOT_TCP_COUNTED */
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

/* The address whose traffic that is. */
static inline uint32_t slot_memory_address(const struct slot_memory *memory,
                                           const struct counters_traffic *traffic)
{
    size_t offset = (size_t)((const char *)traffic - (const char *)&memory->addresses[0].traffic);

    return (uint32_t)(offset / sizeof memory->addresses[0]);
}

static inline size_t slot_memory_size(size_t addresses)
{
    return sizeof(struct slot_memory) + addresses * sizeof(struct slot_address);
}

#endif

/*
 * What a worker slot's workers, one after the other, share with the supervisor: one shared
 * anonymous mapping, made before the first of them is forked. Counters are written by the worker
 * only and read by anyone at any time; none is ever reset.
 */
#ifndef SORREL_SERVER_SLOT_MEMORY_H
#define SORREL_SERVER_SLOT_MEMORY_H

#include "server/batch.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct slot_counters {
    _Atomic uint64_t heartbeat; /* turns of the worker's work: batches, TCP reads, accepts */
    _Atomic uint64_t udp_batches;
    _Atomic uint64_t udp_queries;     /* datagrams taken off the queue */
    _Atomic uint64_t udp_answers;     /* sent */
    _Atomic uint64_t udp_unsendable;  /* answers the kernel would not take */
    _Atomic uint64_t udp_cut_off;     /* queries longer than BATCH_QUERY_MAX */
    _Atomic uint64_t tcp_connections; /* accepted */
    _Atomic uint64_t tcp_turned_away; /* closed at once: too many */
    _Atomic uint64_t tcp_timeouts;
    _Atomic uint64_t tcp_queries;
    _Atomic uint64_t tcp_answers;
};

/* A plain add: there is one writer, so the locked instruction would buy nothing. */
static inline void slot_count(_Atomic uint64_t *counter, uint64_t by)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, value + by, memory_order_relaxed);
}

enum { SLOT_TCP_QUERY_MAX = 512 };

/* The TCP query being answered: TCP queries die with their connection, but the supervisor says
 * which it was. length is set last and cleared first. */
struct slot_tcp_query {
    _Atomic uint32_t length; /* 0: none */
    uint8_t octets[SLOT_TCP_QUERY_MAX];
};

struct slot_memory {
    struct slot_counters counters;
    struct slot_tcp_query tcp_query;
    _Alignas(64) struct batch batches[]; /* one for each listening address */
};

static inline size_t slot_memory_size(size_t batches)
{
    return sizeof(struct slot_memory) + batches * sizeof(struct batch);
}

#endif

/*
 * Which clients send to one socket: how many different flows (client address and port) there are,
 * and which of them send most. A worker notes what it sees in memory that it shares with the
 * supervisor; that looks at it every second.
 *
 * Distinct flows are counted by a bitmap: each flow sets the bit that its hash names, and how many
 * bits are still clear tells how many flows there were (linear counting). The hash is the same in
 * all workers, so that the bitmaps of a group can be united. There are two of them: while the
 * worker writes one, the supervisor reads the other.
 *
 * Of each batch one query at random is a sample, and stands for as many as the batch had.
 */
#ifndef SORREL_SERVER_FLOWS_H
#define SORREL_SERVER_FLOWS_H

#include "server/host/address.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    /* 1 KiB, which stays in the L1 cache. 1,000 flows are estimated to within 1 % or so, 20,000
     * within 3 %; at some 70,000 no bit is clear any more. */
    FLOWS_BITS_LOG = 13,
    FLOWS_WORDS = 1 << (FLOWS_BITS_LOG - 6),

    /* Of a wide batch, of which there are many, every fourth query is noted, beginning anywhere:
     * who sends enough to matter is noted soon, and a query costs a nanosecond less. */
    FLOWS_WIDE = 32,
    FLOWS_STEP = 4,

    /* Samples kept: of more than that in a second the last. */
    FLOWS_SAMPLES = 256,
};

struct flows_sample {
    union address client;
    uint32_t weight; /* queries it stands for */
};

struct flows {
    _Atomic uint32_t window;  /* the bitmap being written; changed by the supervisor */
    _Atomic uint32_t written; /* samples, modulo 2^32; the last FLOWS_SAMPLES are there */
    uint32_t random;          /* the worker's */
    _Atomic uint64_t seen[2][FLOWS_WORDS];
    struct flows_sample samples[FLOWS_SAMPLES];
};

/* --- by the worker ------------------------------------------------------------------- */

/* Spreads flows well even if they are numbered one after the other. */
static inline uint64_t flows_mix(uint64_t key)
{
    key *= UINT64_C(0x9E3779B97F4A7C15);
    key ^= key >> 32;
    return key * UINT64_C(0xD6E8FEB86659FD93);
}

static inline uint64_t flows_hash(const union address *client)
{
    uint64_t key, high, low;

    /* Family, port and IPv4 address are 8 octets in one. */
    memcpy(&key, client, sizeof key);
    if (client->any.sa_family != AF_INET6)
        return flows_mix(key);
    memcpy(&high, &client->v6.sin6_addr, sizeof high);
    memcpy(&low, (const uint8_t *)&client->v6.sin6_addr + sizeof high, sizeof low);
    return flows_mix(flows_mix(high ^ client->v6.sin6_port) ^ low);
}

/* Notes the clients of a batch of `count` > 0 queries. */
static inline void flows_note(struct flows *flows, const union address *clients, unsigned count)
{
    uint32_t window = atomic_load_explicit(&flows->window, memory_order_relaxed) & 1;
    uint32_t written = atomic_load_explicit(&flows->written, memory_order_relaxed);
    struct flows_sample *sample = &flows->samples[written % FLOWS_SAMPLES];

    /* A linear congruential generator: its high bits are random enough. */
    flows->random = flows->random * 1664525u + 1013904223u;
    uint32_t random = flows->random;
    unsigned step = count >= FLOWS_WIDE ? FLOWS_STEP : 1;
    for (unsigned i = (random >> 16) % step; i < count; i += step) {
        uint64_t hash = flows_hash(&clients[i]) >> (64 - FLOWS_BITS_LOG);
        _Atomic uint64_t *word = &flows->seen[window][hash / 64];
        uint64_t bits = atomic_load_explicit(word, memory_order_relaxed);
        /* Most are set already: then the line is left as it is. */
        if ((bits >> (hash % 64) & 1) == 0)
            atomic_store_explicit(word, bits | UINT64_C(1) << (hash % 64), memory_order_relaxed);
    }
    sample->client = clients[(uint64_t)random * count >> 32];
    sample->weight = count;
    atomic_store_explicit(&flows->written, written + 1, memory_order_release);
}

/* --- by the supervisor ----------------------------------------------------------------- */

/* Adds what was seen since the last call to `seen`. A batch that is being noted just now may be
 * missed in part. */
void flows_take_seen(struct flows *flows, uint64_t seen[FLOWS_WORDS]);

/* Takes the samples since *position, which moves on, as far as they are there and `room` allows;
 * returns how many. */
size_t flows_take_samples(const struct flows *flows, uint32_t *position,
                          struct flows_sample *samples, size_t room);

/* The number of flows that have most likely been seen. */
uint64_t flows_estimate(const uint64_t seen[FLOWS_WORDS]);

/* Merges samples of the same client; leaves the `most` heaviest of them, the heaviest first.
 * Returns how many there are then. */
size_t flows_merge(struct flows_sample *samples, size_t count, size_t most);

#endif

#include "server/query/flows.h"

#include <math.h>
#include <stdlib.h>

void flows_take_seen(struct flows *flows, uint64_t seen[FLOWS_WORDS])
{
    uint32_t old = atomic_load_explicit(&flows->window, memory_order_relaxed) & 1;
    _Atomic uint64_t *next = flows->seen[old ^ 1];

    for (size_t i = 0; i < FLOWS_WORDS; i++)
        atomic_store_explicit(&next[i], 0, memory_order_relaxed);
    atomic_store_explicit(&flows->window, old ^ 1, memory_order_release);
    for (size_t i = 0; i < FLOWS_WORDS; i++)
        seen[i] |= atomic_load_explicit(&flows->seen[old][i], memory_order_relaxed);
}

size_t flows_take_samples(const struct flows *flows, uint32_t *position,
                          struct flows_sample *samples, size_t room)
{
    uint32_t end = atomic_load_explicit(&flows->written, memory_order_acquire);
    uint32_t count = end - *position;

    if (count > FLOWS_SAMPLES)
        count = FLOWS_SAMPLES;
    if (count > room)
        count = (uint32_t)room;
    for (uint32_t i = 0; i < count; i++)
        samples[i] = flows->samples[(end - count + i) % FLOWS_SAMPLES];
    atomic_thread_fence(memory_order_acquire);
    /* What the worker has written meanwhile, or is writing, lay where the oldest of these were. */
    uint32_t now = atomic_load_explicit(&flows->written, memory_order_relaxed);
    uint32_t spoilt = now + 1 - (end - count);
    spoilt = spoilt > FLOWS_SAMPLES ? spoilt - FLOWS_SAMPLES : 0;
    if (spoilt > count)
        spoilt = count;
    memmove(samples, samples + spoilt, (count - spoilt) * sizeof *samples);
    *position = end;
    return count - spoilt;
}

uint64_t flows_estimate(const uint64_t seen[FLOWS_WORDS])
{
    const double bits = 1 << FLOWS_BITS_LOG;
    unsigned clear = 0;

    for (size_t i = 0; i < FLOWS_WORDS; i++)
        clear += 64 - (unsigned)__builtin_popcountll(seen[i]);
    return (uint64_t)llround(-bits * log((clear > 0 ? clear : 0.5) / bits));
}

static int by_client(const void *a, const void *b)
{
    return memcmp(&((const struct flows_sample *)a)->client,
                  &((const struct flows_sample *)b)->client, sizeof(union address));
}

static int by_weight(const void *a, const void *b)
{
    uint32_t weight = ((const struct flows_sample *)a)->weight;
    uint32_t other = ((const struct flows_sample *)b)->weight;

    return weight < other ? 1 : weight > other ? -1 : by_client(a, b);
}

/* What lies behind a shorter address in the union may be anything. */
static void clear_rest(union address *address)
{
    size_t length = address_length(address);

    memset((uint8_t *)address + length, 0, sizeof *address - length);
}

size_t flows_merge(struct flows_sample *samples, size_t count, size_t most)
{
    size_t merged = 0;

    for (size_t i = 0; i < count; i++)
        clear_rest(&samples[i].client);
    qsort(samples, count, sizeof *samples, by_client);
    for (size_t i = 0; i < count; i++)
        if (merged > 0 && by_client(&samples[merged - 1], &samples[i]) == 0)
            samples[merged - 1].weight += samples[i].weight;
        else
            samples[merged++] = samples[i];
    qsort(samples, merged, sizeof *samples, by_weight);
    return merged < most ? merged : most;
}

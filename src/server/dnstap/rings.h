/*
 * What all workers and the dnstap process share: a ring for each slot that there may be, and how
 * the writing goes. Made before the first of them is forked; a slot's pages are taken from the
 * system when its worker uses them. Rings and numbers outlive the processes on both their ends.
 */
#ifndef SORREL_SERVER_RINGS_H
#define SORREL_SERVER_RINGS_H

#include "server/dnstap/ring.h"

#include <stdint.h>

enum rings_state {
    RINGS_AWAY, /* there is nowhere to write to, yet or at present */
    RINGS_WRITING,
};

struct rings {
    _Atomic uint32_t used;               /* slots that have, or had, a worker */
    _Alignas(64) _Atomic uint32_t state; /* enum rings_state; from here on by the dnstap process */
    _Atomic int32_t reason;              /* while away, an errno; 0: it has not been tried yet */
    _Atomic uint64_t written;            /* messages */
    _Atomic uint64_t damaged;            /* times that a ring held what is no record */
    _Alignas(RING_PAGE) struct ring ring[]; /* STEERING_SLOTS_MAX */
};

/* NULL with errno. */
struct rings *rings_open(void);
void rings_close(struct rings *rings);

/* Rings to look at: those of the first so many slots, never more than there are. */
uint32_t rings_used(const struct rings *rings);

/* By the supervisor: this slot is going to have a worker. */
void rings_use(struct rings *rings, unsigned slot);

/* By the worker of `slot`: unmaps all other rings, and has the pages of its own. */
struct ring *rings_keep_only(struct rings *rings, unsigned slot);

/* By the writer of `ring`: so many messages found no room. */
void rings_count_dropped(const struct rings *rings, struct ring *ring, unsigned messages);

/* Messages, by what became of them. */
struct rings_sums {
    uint64_t written;
    uint64_t dropped_slow; /* for the reader was too slow */
    uint64_t dropped_away; /* for there was none */
    uint64_t damaged;
};

struct rings_sums rings_sum(const struct rings *rings);

/* A number of which there is one writer. */
static inline void rings_add(_Atomic uint64_t *place, uint64_t by)
{
    uint64_t value = atomic_load_explicit(place, memory_order_relaxed);

    atomic_store_explicit(place, value + by, memory_order_relaxed);
}

#endif

/*
 * The zone transfers that a worker has under way, and the tables that they are of. A worker adopts
 * a new table whenever there is one; the old one then stays mapped until its last transfer has
 * ended, so that each client gets one version of the zone.
 */
#ifndef SORREL_SERVER_TRANSFERS_H
#define SORREL_SERVER_TRANSFERS_H

#include "answer/answer.h"
#include "answer/transfer.h"
#include "server/protection/networks.h"
#include "table/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* At a time. It bounds how many former tables are kept, and what UDP waits for: a message each
     * a turn of the event loop, which is 16 KiB and some 30 us. */
    TRANSFERS_MAX = 16,
    /* Of one client network, so that the others' are not kept waiting by slow ones. */
    TRANSFERS_PER_NETWORK = 8,

    /* Who is sent fewer octets a second than that, since his transfer began, is slow. */
    TRANSFERS_RATE_LEAST = 64 << 10,
    /* Seconds that a slow one has before it is broken off for another, ... */
    TRANSFERS_PLACE_SECONDS = 30,
    /* ... and those for which it keeps a former table. */
    TRANSFERS_TABLE_SECONDS = 300,
};

/* One of them. */
struct outgoing {
    struct transfer transfer;
    const void *base; /* of its table; NULL: it is not under way */
    const struct network *network;
    void *carrier;    /* the caller's: what it goes over */
    uint64_t started; /* nanoseconds (clock.h) */
    uint64_t sent;    /* octets */
};

/* All 0: there are none. */
struct transfers {
    unsigned count;
    struct outgoing outgoing[TRANSFERS_MAX];
    struct sealed_table kept[TRANSFERS_MAX]; /* former tables; base NULL: none */
};

/* Has it been slow for so many seconds? Times, here and below: nanoseconds (clock.h). */
bool transfers_is_slow(const struct outgoing *outgoing, uint64_t now, unsigned seconds);

/* May a client of that network have one more, if need be in exchange for a slow one? */
bool transfers_have_room(struct transfers *transfers, const struct network *network, uint64_t now);

/* The one to be broken off before a client of that network can have one more. NULL: there is room
 * without, or there is none at all. */
struct outgoing *transfers_find_leaver(struct transfers *transfers, const struct network *network,
                                       uint64_t now);

/* Does it keep a table that is not the current one, at `base`, for too long? */
bool transfers_is_overdue(const struct outgoing *outgoing, const void *base, uint64_t now);

/* Begins the transfer that `query`, of that client, asks for (answer/transfer.h). There is room.
 * `like`: its network, carrier and start. */
struct outgoing *transfers_begin(struct transfers *transfers, const struct outgoing *like,
                                 const struct answer_settings *settings,
                                 const struct client *client, const uint8_t *query, size_t length);

/* It has ended, or is broken off. */
void transfers_end(struct transfers *transfers, struct outgoing *outgoing);

/* Unmaps a table that is not used otherwise any more, as soon as no transfer is of it. */
void transfers_leave_table(struct transfers *transfers, const struct sealed_table *table);

#endif

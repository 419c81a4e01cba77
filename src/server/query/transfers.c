#include "server/query/transfers.h"

#include <assert.h>

static uint64_t nanoseconds(uint64_t seconds)
{
    return seconds * 1000000000u;
}

bool transfers_is_slow(const struct outgoing *outgoing, uint64_t now, unsigned seconds)
{
    uint64_t age = now - outgoing->started;

    return age > nanoseconds(seconds) &&
           outgoing->sent < age / nanoseconds(1) * TRANSFERS_RATE_LEAST;
}

bool transfers_is_overdue(const struct outgoing *outgoing, const void *base, uint64_t now)
{
    return outgoing->base != base && transfers_is_slow(outgoing, now, TRANSFERS_TABLE_SECONDS);
}

static bool network_has_room(const struct transfers *transfers, const struct network *network)
{
    unsigned of_network = 0;

    for (unsigned i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->outgoing[i].base != NULL && transfers->outgoing[i].network == network)
            of_network++;
    return of_network < TRANSFERS_PER_NETWORK;
}

/* The oldest slow one, of that network if it is not NULL. */
static struct outgoing *find_slow(struct transfers *transfers, const struct network *network,
                                  uint64_t now)
{
    struct outgoing *found = NULL;

    for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
        struct outgoing *outgoing = &transfers->outgoing[i];
        if (outgoing->base != NULL && (network == NULL || outgoing->network == network) &&
            (found == NULL || outgoing->started < found->started) &&
            transfers_is_slow(outgoing, now, TRANSFERS_PLACE_SECONDS))
            found = outgoing;
    }
    return found;
}

struct outgoing *transfers_find_leaver(struct transfers *transfers, const struct network *network,
                                       uint64_t now)
{
    if (!network_has_room(transfers, network))
        return find_slow(transfers, network, now);
    return transfers->count == TRANSFERS_MAX ? find_slow(transfers, NULL, now) : NULL;
}

bool transfers_have_room(struct transfers *transfers, const struct network *network, uint64_t now)
{
    if (transfers->count == 0)
        return true;
    return (transfers->count < TRANSFERS_MAX && network_has_room(transfers, network)) ||
           transfers_find_leaver(transfers, network, now) != NULL;
}

struct outgoing *transfers_begin(struct transfers *transfers, const struct outgoing *like,
                                 const struct answer_settings *settings,
                                 const struct client *client, const uint8_t *query, size_t length)
{
    struct outgoing *outgoing = transfers->outgoing;

    assert(transfers->count < TRANSFERS_MAX);
    while (outgoing->base != NULL)
        outgoing++;
    transfer_begin(&outgoing->transfer, settings->table, settings->keys, query, length,
                   settings->udp_payload_max);
    if (settings->cookies != NULL)
        transfer_add_cookie(&outgoing->transfer, settings->cookies, client, settings->now, query);
    outgoing->base = settings->table->base;
    outgoing->network = like->network;
    outgoing->carrier = like->carrier;
    outgoing->started = like->started;
    outgoing->sent = 0;
    transfers->count++;
    return outgoing;
}

static bool is_in_use(const struct transfers *transfers, const void *base)
{
    for (unsigned i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->outgoing[i].base == base)
            return true;
    return false;
}

void transfers_end(struct transfers *transfers, struct outgoing *outgoing)
{
    const void *base = outgoing->base;

    outgoing->base = NULL;
    transfers->count--;
    if (is_in_use(transfers, base))
        return;
    for (unsigned i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->kept[i].base == base) {
            seal_unmap(&transfers->kept[i]);
            transfers->kept[i] = (struct sealed_table){0};
        }
}

void transfers_leave_table(struct transfers *transfers, const struct sealed_table *table)
{
    struct sealed_table left = *table;
    struct sealed_table *kept = transfers->kept;

    if (!is_in_use(transfers, left.base)) {
        seal_unmap(&left);
        return;
    }
    /* Each table that is kept has a transfer of its own: one place at least is left. */
    while (kept->base != NULL)
        kept++;
    *kept = left;
}

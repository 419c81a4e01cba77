#include "server/query/transfers.h"

#include <assert.h>

bool transfers_have_room(const struct transfers *transfers, const struct network *network)
{
    unsigned of_network = 0;

    if (transfers->count == 0)
        return true;
    for (unsigned i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->outgoing[i].base != NULL && transfers->outgoing[i].network == network)
            of_network++;
    return transfers->count < TRANSFERS_MAX && of_network < TRANSFERS_PER_NETWORK;
}

struct outgoing *transfers_begin(struct transfers *transfers, const struct network *network,
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
    outgoing->network = network;
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

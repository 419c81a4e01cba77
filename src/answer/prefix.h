/*
 * Address prefixes (192.0.2.0/24, 2001:db8::/32): is a client in one of them?
 */
#ifndef SORREL_ANSWER_PREFIX_H
#define SORREL_ANSWER_PREFIX_H

#include "answer/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `mask` has as many leading 1 bits as the prefix is long; `address` has no others set. */
struct prefix {
    uint8_t length; /* of the address: 4 or 16 octets */
    uint8_t bits;
    uint8_t address[16];
    uint8_t mask[16];
};

struct prefix_list {
    struct prefix *prefixes;
    size_t count;
};

static inline bool prefix_covers(const struct prefix *prefix, const struct client *client)
{
    uint64_t address[2], mask[2], wanted[2];

    memcpy(address, client->address, sizeof address);
    memcpy(mask, prefix->mask, sizeof mask);
    memcpy(wanted, prefix->address, sizeof wanted);
    return prefix->length == client->length &&
           (((address[0] & mask[0]) ^ wanted[0]) | ((address[1] & mask[1]) ^ wanted[1])) == 0;
}

static inline bool prefix_list_covers(const struct prefix_list *list, const struct client *client)
{
    for (size_t i = 0; i < list->count; i++)
        if (prefix_covers(&list->prefixes[i], client))
            return true;
    return false;
}

#endif

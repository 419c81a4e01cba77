#include "answer/nsec.h"

#include <string.h>

/* As layout.h defines it for the index: the label just below the apex, its first 8 octets. */
static uint64_t name_key(const struct table_section *zone, const struct name *name)
{
    uint64_t key = 0;

    if (name->labels == zone->apex_labels)
        return 0;
    const uint8_t *label = name_suffix(name, (unsigned)name->labels - zone->apex_labels - 1u);
    for (unsigned i = 0; i < sizeof key; i++)
        key = key << 8 | (i < label[0] ? label[1 + i] : 0);
    return key;
}

static bool is_behind(const struct table_section *zone, uint32_t ref, const struct name *name)
{
    struct name owner;

    node_name(zone, section_node(zone, ref), &owner);
    return name_compare(&owner, name) > 0;
}

uint32_t nsec_find(const struct table_section *zone, const struct name *name)
{
    const uint64_t *keys = section_at(zone, zone->nsec_keys);
    const uint32_t *nodes = section_at(zone, zone->nsec_nodes);
    uint64_t key = name_key(zone, name);
    uint32_t low = 0, high = zone->nsec_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (keys[middle] < key || (keys[middle] == key && !is_behind(zone, nodes[middle], name)))
            low = middle + 1;
        else
            high = middle;
    }
    /* The apex comes first and is never behind; without its NSEC (a broken zone) the ring
     * closes. */
    return nodes[low > 0 ? low - 1 : zone->nsec_count - 1];
}

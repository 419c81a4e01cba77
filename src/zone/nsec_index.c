#include "zone/nsec_index.h"

#include "message/codes.h"
#include "zone/classify.h"
#include "zone/memory.h"

#include <stdlib.h>

/* First 8 octets of the label just below the apex. */
static uint64_t key_of(const struct zone *zone, const struct zone_name *name)
{
    unsigned below = (unsigned)name->length - zone->origin.length;
    unsigned at = 0;
    uint64_t key = 0;

    if (below == 0)
        return 0;
    while (at + 1 + name->wire[at] < below)
        at += 1u + name->wire[at];
    for (unsigned i = 0; i < 8; i++)
        key = key << 8 | (i < name->wire[at] ? name->wire[at + 1 + i] : 0);
    return key;
}

static int compare_entries(const void *a, const void *b, void *names)
{
    const struct nsec_entry *left = a, *right = b;

    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    const struct zone_name *x = (const struct zone_name *)names + left->name;
    const struct zone_name *y = (const struct zone_name *)names + right->name;
    struct name x_name, y_name;
    name_read(&x_name, x->wire, x->length);
    name_read(&y_name, y->wire, y->length);
    return name_compare(&x_name, &y_name);
}

/* Signers write zones in this very order. */
static bool is_sorted(const struct nsec_index *index, const struct zone *zone)
{
    for (size_t i = 1; i < index->count; i++)
        if (compare_entries(&index->entries[i - 1], &index->entries[i], zone->names) > 0)
            return false;
    return true;
}

void nsec_index_collect(struct nsec_index *index, const struct zone *zone)
{
    size_t room = 0;
    struct zone_rrset rrset;

    *index = (struct nsec_index){0};
    for (uint32_t i = 0; zone->has_nsec && i < zone->name_count; i++) {
        const struct zone_name *name = &zone->names[i];
        if (!classify_exists(name) || !zone_find_rrset(zone, i, TYPE_NSEC, &rrset))
            continue;
        memory_grow(&index->entries, index->count, &room, sizeof *index->entries);
        index->entries[index->count++] = (struct nsec_entry){key_of(zone, name), i};
    }
    if (!is_sorted(index, zone))
        qsort_r(index->entries, index->count, sizeof *index->entries, compare_entries, zone->names);
}

void nsec_index_free(struct nsec_index *index)
{
    free(index->entries);
    *index = (struct nsec_index){0};
}

#include "zone/tally.h"

#include <stddef.h>

void tally_expect(struct tally *tally, uint64_t octets)
{
    __atomic_add_fetch(&tally->count.expected, 2 * octets, __ATOMIC_RELAXED);
}

void tally_add(struct tally_share *share, uint64_t octets, uint64_t records)
{
    /* A file may have grown since it was looked at, and included ones were not. */
    if (octets > share->left)
        octets = share->left;
    share->left -= octets;
    if (share->tally == NULL)
        return;
    __atomic_add_fetch(&share->tally->count.done, octets, __ATOMIC_RELAXED);
    __atomic_add_fetch(&share->tally->count.records, records, __ATOMIC_RELAXED);
}

void tally_end(struct tally_share *share)
{
    tally_add(share, share->left, 0);
}

void tally_tell(const struct tally *tally)
{
    if (tally == NULL || tally->sink == NULL)
        return;
    const struct tally_count count = {
        .expected = __atomic_load_n(&tally->count.expected, __ATOMIC_RELAXED),
        .done = __atomic_load_n(&tally->count.done, __ATOMIC_RELAXED),
        .records = __atomic_load_n(&tally->count.records, __ATOMIC_RELAXED),
    };
    tally->sink(tally->closure, &count);
}

/*
 * How far a load is: octets of master files, each of which counts twice, once when it is read and
 * once when it is compiled. Several threads count; one tells.
 */
#ifndef SORREL_ZONE_TALLY_H
#define SORREL_ZONE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally_count {
    uint64_t expected; /* what all of it will count */
    uint64_t done;
    uint64_t records; /* read */
};

/* Called often: whoever wants to hear less looks at the clock. */
typedef void tally_sink(void *closure, const struct tally_count *count);

struct tally {
    struct tally_count count; /* not to be looked at by others */
    tally_sink *sink;         /* or NULL */
    void *closure;
};

/* One zone's part in it. All zero: it has none. */
struct tally_share {
    struct tally *tally;
    uint64_t left; /* of what was expected of it */
    bool told;     /* while it is counted; then by the thread that tells */
};

/* So many octets are to be read, and compiled. On any thread. */
void tally_expect(struct tally *tally, uint64_t octets);

/* So many octets have been read or compiled, and records been read. On any thread. */
void tally_add(struct tally_share *share, uint64_t octets, uint64_t records);

/* Nothing more will be done for the zone. On any thread. */
void tally_end(struct tally_share *share);

/* Tells how far it is. On the thread that tells; `tally` may be NULL. */
void tally_tell(const struct tally *tally);

#endif

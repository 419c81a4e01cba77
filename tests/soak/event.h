/*
 * What happens to the daemon in a soak, again and again, in an order and at moments that chance
 * determines.
 */
#ifndef SORREL_SOAK_EVENT_H
#define SORREL_SOAK_EVENT_H

#include "../fuzz/fuzz.h"
#include "../loss/load.h"
#include "../loss/subject.h"
#include "place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVENT_TROUBLE_MAX = 256, EVENT_WORKERS_MAX = 8 };

/* Where events take place. */
struct event_stage {
    struct subject *subject;
    struct load *load;
    const struct place *place;
    struct fuzz_random random;
    uint32_t certain; /* version of the zone that every worker serves at least */
    bool zone_is_broken;
    unsigned kills;                  /* of workers: each may cost a query */
    char trouble[EVENT_TROUBLE_MAX]; /* the first thing that went wrong; empty: nothing */
};

struct event {
    const char *name;
    const char *description;
    void (*happen)(struct event_stage *);
};

/* All there are, ended by one without a name. */
extern const struct event event_all[];

/* Notes what went wrong, unless something has before. */
void event_complain(struct event_stage *stage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Brings it back to so many workers and to the policy hash, with a zone that is sound. */
void event_restore(struct event_stage *stage, unsigned workers);

#endif

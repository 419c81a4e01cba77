/*
 * What the supervisor knows of each zone beyond its table: since when it is served as it is, what
 * became of it in the last load, and what is wrong with its files. Told by the builder, zone by
 * zone, and kept when a load has ended.
 *
 * Where memory is short a zone or a fault is missing in it; nothing else depends on it.
 */
#ifndef SORREL_SERVER_LEDGER_H
#define SORREL_SERVER_LEDGER_H

#include "message/name.h"
#include "table/table.h"
#include "zone/build.h"
#include "zone/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_fault {
    enum severity severity;
    unsigned line; /* as in struct diagnostic */
    char *file;
    char *text;
};

struct ledger_faults {
    struct ledger_fault *items;
    size_t count;
    size_t room;
};

struct ledger_zone {
    char *name;                          /* as name_to_text() writes it */
    const struct table_section *section; /* in the table served; NULL: not served */
    int64_t loaded;              /* Unix time at which what is served was read; 0: not served */
    enum build_outcome outcome;  /* of the last load that looked at it */
    struct ledger_faults faults; /* if it failed, of what failed; otherwise of what is served */
};

struct ledger_zones {
    struct ledger_zone *items;
    size_t count;
    size_t room;
};

struct ledger {
    struct ledger_zones zones;    /* ascending by name, octet by octet */
    size_t failures;              /* zones among them that have failed */
    uint64_t records;             /* of all zones that are served */
    struct ledger_zones removed;  /* served before the last load, but no more; likewise */
    struct ledger_faults general; /* of the last load, where they concern no zone */
    struct ledger_zones pending;  /* of the load under way */
    struct ledger_faults pending_faults;
};

/* A load begins: forgets what is left of one that never ended. */
void ledger_begin(struct ledger *ledger);

/* The builder's findings, in the order they come. */
void ledger_add_fault(struct ledger *ledger, const struct diagnostic *diagnostic);
void ledger_add_zone(struct ledger *ledger, const struct name *origin, enum build_outcome outcome);

/* The load has ended with `table`, which is served from now on and as long as the ledger says so.
 * `partial`: not all zones were looked at. */
void ledger_commit(struct ledger *ledger, const struct table *table, bool partial, int64_t now);

/* It has ended without a table: all that was found is general, the zones are as they were. */
void ledger_abandon(struct ledger *ledger);

static inline bool ledger_has_failed(const struct ledger_zone *zone)
{
    return zone->outcome == BUILD_KEPT || zone->outcome == BUILD_FAILED;
}

/* The zone of that name; NULL if there is none. */
const struct ledger_zone *ledger_find(const struct ledger_zones *zones, const char *name);

void ledger_free(struct ledger *ledger);

#endif

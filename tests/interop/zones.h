/*
 * Reading the zones of one directory with ldns: what the servers are given, and what the checks
 * know to be true.
 */
#ifndef SORREL_INTEROP_ZONES_H
#define SORREL_INTEROP_ZONES_H

#include "message/name.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>

/* A record as comparable octets: owner and RDATA in canonical form (RFC 4034 §6.2), without the
 * TTL. */
struct fact {
    uint8_t *octets;
    size_t length;
};

struct zone {
    char *path;
    struct name origin;
    char text[NAME_TEXT_MAX]; /* the origin, with its final dot */
    ldns_rr_list *records;
    ldns_rr_list *keys;       /* the DNSKEYs at the apex; empty: not signed */
    struct fact *facts;       /* sorted */
    size_t fact_count;
};

/* Zones that one server process serves together. */
struct zone_set {
    char *directory;
    struct zone *items;
    size_t count;
};

/* Reads every *.zone in `directory`. The origin is what a first line `; origin: NAME` says, else
 * the file's name less `.zone`. Prints one sentence and returns false if anything cannot be
 * read. */
bool zones_read(struct zone_set *set, const char *directory);
void zones_free(struct zone_set *set);

/* The zone with the longest origin that `name` is within; NULL if there is none. */
const struct zone *zones_find(const struct zone_set *set, const struct name *name);

/* Like zones_find, but for what the parent of a zone answers: a strict ancestor of `name`. */
const struct zone *zones_find_parent(const struct zone_set *set, const struct name *name);

/* Is there such a record in the zone? `owner` overrides the record's own. */
bool zones_has(const struct zone *zone, const ldns_rr *record, const struct name *owner);

/* Is there a record of this owner and type (0: any type) in the zone? */
bool zones_has_type(const struct zone *zone, const struct name *owner, ldns_rr_type type);

/* A name of ldns' as one of ours (lower case). */
struct name zones_name(const ldns_rdf *dname);

#endif

/*
 * A zone in memory, between its files and its section of the table: names with their records.
 *
 * Names are numbered as they are met, ancestors first, so that a name's number is greater than its
 * parent's: walks down and up the tree are loops up and down the numbers. Number 0 is the apex.
 */
#ifndef SORREL_ZONE_ZONE_H
#define SORREL_ZONE_ZONE_H

#include "message/name.h"
#include "zone/arena.h"
#include "zone/input.h"
#include "zone/report.h"
#include "zone/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONE_APEX = 0, ZONE_NO_NAME = UINT32_MAX };

/* What the name is to the zone; see classify.h. */
enum name_state {
    NAME_NONEXISTENT, /* nothing here or below is served, or only NSEC3 */
    NAME_AUTHORITATIVE,
    NAME_CUT,
    NAME_BELOW_CUT,
    NAME_BELOW_DNAME,
};

struct zone_name {
    uint64_t hash;       /* with the table's seed */
    const uint8_t *wire; /* in full, lower case */
    uint32_t parent;     /* ZONE_NO_NAME at the apex */
    uint32_t first;      /* in zone.order, once grouped */
    uint32_t count;
    uint32_t node;      /* ref of its node, once written */
    uint32_t glue_node; /* ref of the node with its addresses, if it is at or below a cut */
    uint8_t length;
    uint8_t labels;
    uint8_t state; /* enum name_state */
    bool has_dname;
    bool has_cname;
    bool wildcard_child; /* `*` directly below exists */
    bool needed;         /* at or below a cut: some target leads to its addresses */
    bool embedded;       /* likewise: they are stored with the cut's NS RRset */
    bool chained;        /* its NSEC3 RR belongs to the chain that is served */
};

struct zone_record {
    const uint8_t *rdata; /* uncompressed */
    uint32_t name;
    uint32_t ttl;
    uint32_t line;
    uint16_t file;
    uint16_t type;
    uint16_t length;
};

struct zone_file {
    char *path;
    struct input_identity identity;
};

struct zone {
    struct report *report;
    struct tally_share share;
    uint64_t seed;
    struct name origin;
    uint64_t origin_hash;

    struct zone_file *files; /* the zone file, then those it includes */
    size_t file_count;
    size_t file_room;

    struct zone_name *names;
    size_t name_count;
    size_t name_room;
    uint64_t *index; /* open addressing by hash: low half name + 1, high half that of the hash */
    size_t index_size;

    struct zone_record *records;
    size_t record_count;
    size_t record_room;

    uint32_t *order; /* records by name, type, type covered, place in the file */

    bool has_nsec; /* some record is NSEC; and likewise */
    bool has_nsec3;

    struct arena arena; /* wire forms of names and RDATA */
};

void zone_start(struct zone *zone, const struct name *origin, uint64_t seed, struct report *report);
void zone_free(struct zone *zone);

/* The number of a name at or below the apex; a new one if it has not been met. */
uint32_t zone_intern(struct zone *zone, const struct name *name);

/* The hash of a name at or below the apex; and asking for the memory that finding a name of that
 * hash will need, some time ahead. */
uint64_t zone_hash(const struct zone *zone, const struct name *name);
void zone_prefetch(const struct zone *zone, uint64_t hash);

/* The number of a name, or ZONE_NO_NAME. */
uint32_t zone_find(const struct zone *zone, const struct name *name);

/* Finds the child `label` (length octet and lower-cased octets) of a name, likewise. */
uint32_t zone_find_child(const struct zone *zone, uint32_t parent, const uint8_t *label);

/* `record` with its rdata, which is copied. */
void zone_add(struct zone *zone, const struct zone_record *record);

/* Brings the records into order; drops those that occur twice (RFC 2181 §5). */
void zone_group(struct zone *zone);

/* A run of zone.order: records of one name and type. */
struct zone_rrset {
    uint16_t type;
    uint32_t first;
    uint32_t count;
};

/* Walks a name's RRsets by ascending type: start with count 0. RRSIGs come as one. */
bool zone_next_rrset(const struct zone *zone, uint32_t name, struct zone_rrset *rrset);

bool zone_find_rrset(const struct zone *zone, uint32_t name, uint16_t type,
                     struct zone_rrset *rrset);

/* The RRSIGs of a name that cover `type`. */
bool zone_find_signatures(const struct zone *zone, uint32_t name, uint16_t type,
                          struct zone_rrset *signatures);

static inline const struct zone_record *zone_record_at(const struct zone *zone, uint32_t position)
{
    return &zone->records[zone->order[position]];
}

/* Lowest TTL of the RRset's records. */
uint32_t zone_rrset_ttl(const struct zone *zone, const struct zone_rrset *rrset);

static inline const char *zone_file_of(const struct zone *zone, const struct zone_record *record)
{
    return zone->files[record->file].path;
}

static inline bool zone_is_wildcard(const struct zone_name *name)
{
    return name->wire[0] == 1 && name->wire[1] == '*';
}

/* Presentation form of a name. Returns `text`. */
char *zone_name_text(const struct zone *zone, uint32_t name, char text[NAME_TEXT_MAX]);

/* Diagnostics at a record's place. What the sentence is made of is not even looked at once the
 * limit is passed: a zone may break one rule a million times. */
#define zone_record_error(zone, record, ...)                                                       \
    (report_is_full((zone)->report->errors)                                                        \
         ? (void)(zone)->report->errors++                                                          \
         : report_error((zone)->report, zone_file_of(zone, record), (record)->line, __VA_ARGS__))
#define zone_record_warning(zone, record, ...)                                                     \
    (report_is_full((zone)->report->warnings)                                                      \
         ? (void)(zone)->report->warnings++                                                        \
         : report_warning((zone)->report, zone_file_of(zone, record), (record)->line,              \
                          __VA_ARGS__))

#endif

#include "zone/zone.h"

#include "message/codes.h"
#include "message/wire.h"
#include "table/hash.h"
#include "zone/canonical.h"
#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_FIRST_SIZE = 64 };

void zone_start(struct zone *zone, const struct name *origin, uint64_t seed, struct report *report)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];

    *zone = (struct zone){.report = report, .seed = seed, .origin = *origin};
    hash_name(origin, seed, hashes);
    zone->origin_hash = hashes[origin->labels];
    zone_intern(zone, origin);
}

void zone_free(struct zone *zone)
{
    for (size_t i = 0; i < zone->file_count; i++)
        free(zone->files[i].path);
    free(zone->files);
    free(zone->names);
    free(zone->index);
    free(zone->records);
    free(zone->order);
    arena_free(&zone->arena);
}

/* An index entry: the upper half of the hash, by which the place was not chosen, and the name. */
static uint64_t index_entry(uint64_t hash, uint32_t name)
{
    return (hash & 0xFFFFFFFF00000000) | (name + 1);
}

static void index_add(struct zone *zone, uint32_t name)
{
    size_t mask = zone->index_size - 1;
    uint64_t hash = zone->names[name].hash;
    size_t slot = hash & mask;

    while (zone->index[slot] != 0)
        slot = (slot + 1) & mask;
    zone->index[slot] = index_entry(hash, name);
}

static void index_grow(struct zone *zone)
{
    zone->index_size = zone->index_size == 0 ? INDEX_FIRST_SIZE : zone->index_size * 2;
    zone->index = memory_resize(zone->index, zone->index_size * sizeof *zone->index);
    memset(zone->index, 0, zone->index_size * sizeof *zone->index);
    for (uint32_t name = 0; name < zone->name_count; name++)
        index_add(zone, name);
}

/* Is name number `number` what begins at label `first` of `name`? */
static bool is_suffix(const struct zone *zone, uint32_t number, const struct name *name,
                      unsigned first)
{
    const struct zone_name *candidate = &zone->names[number];

    return candidate->length == name_suffix_length(name, first) &&
           memcmp(candidate->wire, name_suffix(name, first), candidate->length) == 0;
}

static uint32_t find_suffix(const struct zone *zone, const struct name *name, unsigned first,
                            uint64_t hash)
{
    size_t mask = zone->index_size - 1;

    if (zone->index_size == 0)
        return ZONE_NO_NAME;
    for (size_t slot = hash & mask; zone->index[slot] != 0; slot = (slot + 1) & mask) {
        if ((zone->index[slot] ^ hash) >> 32 != 0)
            continue;
        uint32_t number = (uint32_t)zone->index[slot] - 1;
        if (is_suffix(zone, number, name, first))
            return number;
    }
    return ZONE_NO_NAME;
}

static uint32_t add_suffix(struct zone *zone, const struct name *name, unsigned first,
                           uint64_t hash, uint32_t parent)
{
    if ((zone->name_count + 1) * 2 > zone->index_size)
        index_grow(zone);
    memory_grow(&zone->names, zone->name_count, &zone->name_room, sizeof *zone->names);
    uint32_t number = (uint32_t)zone->name_count++;
    unsigned length = name_suffix_length(name, first);
    zone->names[number] = (struct zone_name){
        .hash = hash,
        .wire = arena_copy(&zone->arena, name_suffix(name, first), length),
        .parent = parent,
        .length = (uint8_t)length,
        .labels = (uint8_t)(name->labels - first),
    };
    index_add(zone, number);
    return number;
}

/* hashes[i]: of the suffix with i labels below the apex. */
static void hash_below_apex(const struct zone *zone, const struct name *name,
                            uint64_t hashes[NAME_LABELS_MAX + 1])
{
    unsigned below = (unsigned)name->labels - zone->origin.labels;

    hashes[0] = zone->origin_hash;
    for (unsigned i = 0; i < below; i++)
        hashes[i + 1] = hash_label(hashes[i], name_suffix(name, below - 1 - i));
}

uint32_t zone_intern(struct zone *zone, const struct name *name)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];
    unsigned below = (unsigned)name->labels - zone->origin.labels;
    unsigned known = below;
    uint32_t number;

    hash_below_apex(zone, name, hashes);
    while ((number = find_suffix(zone, name, below - known, hashes[known])) == ZONE_NO_NAME &&
           known > 0)
        known--;
    if (number == ZONE_NO_NAME)
        number = add_suffix(zone, name, below, hashes[0], ZONE_NO_NAME);
    for (; known < below; known++)
        number = add_suffix(zone, name, below - known - 1, hashes[known + 1], number);
    return number;
}

uint64_t zone_hash(const struct zone *zone, const struct name *name)
{
    uint64_t hash = zone->origin_hash;

    for (unsigned i = (unsigned)name->labels - zone->origin.labels; i-- > 0;)
        hash = hash_label(hash, name_suffix(name, i));
    return hash;
}

void zone_prefetch(const struct zone *zone, uint64_t hash)
{
    __builtin_prefetch(&zone->index[hash & (zone->index_size - 1)], 1);
}

uint32_t zone_find(const struct zone *zone, const struct name *name)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];

    if (!name_is_within(name, &zone->origin))
        return ZONE_NO_NAME;
    hash_below_apex(zone, name, hashes);
    return find_suffix(zone, name, 0, hashes[name->labels - zone->origin.labels]);
}

uint32_t zone_find_child(const struct zone *zone, uint32_t parent, const uint8_t *label)
{
    const struct zone_name *above = &zone->names[parent];
    uint8_t wire[NAME_OCTETS_MAX + NAME_LABEL_OCTETS_MAX + 1];
    struct name name;

    memcpy(wire, label, label[0] + 1u);
    memcpy(wire + label[0] + 1, above->wire, above->length);
    if (name_read(&name, wire, label[0] + 1u + above->length) == 0)
        return ZONE_NO_NAME;
    return find_suffix(zone, &name, 0, hash_label(above->hash, label));
}

void zone_add(struct zone *zone, const struct zone_record *record)
{
    memory_grow(&zone->records, zone->record_count, &zone->record_room, sizeof *zone->records);
    struct zone_record *added = &zone->records[zone->record_count++];
    *added = *record;
    added->rdata = arena_copy(&zone->arena, record->rdata, record->length);
    zone->names[record->name].count++;
    zone->has_nsec |= record->type == TYPE_NSEC;
    zone->has_nsec3 |= record->type == TYPE_NSEC3;
}

/* RRSIGs of one name are ordered by the type they cover. */
static uint32_t type_key(const struct zone_record *record)
{
    uint32_t covered = record->type == TYPE_RRSIG ? wire_read_u16(record->rdata) : 0;
    return (uint32_t)record->type << 16 | covered;
}

static int compare_places(const struct zone_record *a, const struct zone_record *b)
{
    return (a > b) - (a < b);
}

static int compare_in_rrset_order(const void *a, const void *b, void *records)
{
    const struct zone_record *left = (const struct zone_record *)records + *(const uint32_t *)a;
    const struct zone_record *right = (const struct zone_record *)records + *(const uint32_t *)b;
    uint32_t left_key = type_key(left), right_key = type_key(right);

    return left_key != right_key ? (left_key > right_key) - (left_key < right_key)
                                 : compare_places(left, right);
}

static int compare_rdata(const void *a, const void *b, void *records)
{
    const struct zone_record *left = (const struct zone_record *)records + *(const uint32_t *)a;
    const struct zone_record *right = (const struct zone_record *)records + *(const uint32_t *)b;
    int order =
        canonical_compare(left->type, left->rdata, left->length, right->rdata, right->length);

    return order != 0 ? order : compare_places(left, right);
}

/* Counting sort: names have their count already. */
static void order_by_name(struct zone *zone)
{
    uint32_t first = 0;

    zone->order = memory_resize(zone->order, zone->record_count * sizeof *zone->order);
    for (size_t i = 0; i < zone->name_count; i++) {
        zone->names[i].first = first;
        first += zone->names[i].count;
        zone->names[i].count = 0;
    }
    for (uint32_t i = 0; i < zone->record_count; i++) {
        struct zone_name *name = &zone->names[zone->records[i].name];
        zone->order[name->first + name->count++] = i;
    }
}

static bool is_ordered(const struct zone *zone, const struct zone_name *name)
{
    for (uint32_t i = 1; i < name->count; i++)
        if (type_key(zone_record_at(zone, name->first + i - 1)) >
            type_key(zone_record_at(zone, name->first + i)))
            return false;
    return true;
}

enum { FEW = 8 }; /* RRs that are compared each with each */

/* Marks in `repeated` those of `count` records whose RDATA an earlier one has. */
static void find_repeated_among_few(const struct zone *zone, const uint32_t *order, uint32_t count,
                                    bool *repeated)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i && !repeated[i]; j++) {
            const struct zone_record *a = &zone->records[order[i]], *b = &zone->records[order[j]];
            repeated[i] = canonical_compare(a->type, a->rdata, a->length, b->rdata, b->length) == 0;
        }
}

/* The same by sorting: `order` itself is sorted by RDATA. */
static void find_repeated_among_many(const struct zone *zone, uint32_t *order, uint32_t count,
                                     bool *repeated)
{
    qsort_r(order, count, sizeof *order, compare_rdata, zone->records);
    for (uint32_t i = 1; i < count; i++) {
        const struct zone_record *a = &zone->records[order[i]], *b = &zone->records[order[i - 1]];
        repeated[i] = canonical_compare(a->type, a->rdata, a->length, b->rdata, b->length) == 0;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Removes the records of one RRset that repeat an earlier one; returns how many stay. */
static uint32_t drop_repeated(const struct zone *zone, uint32_t *order, uint32_t count)
{
    bool few[FEW] = {false};
    bool *repeated = count <= FEW ? few : memory_get(count * sizeof *repeated);
    uint32_t kept = 0;

    if (count <= FEW) {
        find_repeated_among_few(zone, order, count, repeated);
    } else {
        memset(repeated, 0, count * sizeof *repeated);
        find_repeated_among_many(zone, order, count, repeated);
    }
    for (uint32_t i = 0; i < count; i++)
        if (!repeated[i])
            order[kept++] = order[i];
    if (count > FEW) {
        qsort(order, kept, sizeof *order, compare_numbers);
        free(repeated);
    }
    return kept;
}

/* Closes the gaps that repeated records leave within the name's run of zone.order. */
static void drop_repeated_of_name(struct zone *zone, struct zone_name *name)
{
    uint32_t *order = zone->order + name->first;
    uint32_t kept = 0;

    for (uint32_t i = 0, end; i < name->count; i = end) {
        uint32_t key = type_key(&zone->records[order[i]]);
        end = i + 1;
        while (end < name->count && type_key(&zone->records[order[end]]) == key)
            end++;
        uint32_t unique = end - i == 1 ? 1 : drop_repeated(zone, order + i, end - i);
        memmove(order + kept, order + i, unique * sizeof *order);
        kept += unique;
    }
    name->count = kept;
}

void zone_group(struct zone *zone)
{
    order_by_name(zone);
    for (size_t i = 0; i < zone->name_count; i++) {
        struct zone_name *name = &zone->names[i];
        if (name->count < 2)
            continue;
        if (!is_ordered(zone, name))
            qsort_r(zone->order + name->first, name->count, sizeof *zone->order,
                    compare_in_rrset_order, zone->records);
        drop_repeated_of_name(zone, name);
    }
}

bool zone_next_rrset(const struct zone *zone, uint32_t name, struct zone_rrset *rrset)
{
    const struct zone_name *owner = &zone->names[name];
    uint32_t end = owner->first + owner->count;

    rrset->first = rrset->count == 0 ? owner->first : rrset->first + rrset->count;
    if (rrset->first >= end)
        return false;
    rrset->type = zone_record_at(zone, rrset->first)->type;
    rrset->count = 1;
    while (rrset->first + rrset->count < end &&
           zone_record_at(zone, rrset->first + rrset->count)->type == rrset->type)
        rrset->count++;
    return true;
}

bool zone_find_rrset(const struct zone *zone, uint32_t name, uint16_t type,
                     struct zone_rrset *rrset)
{
    *rrset = (struct zone_rrset){0};
    while (zone_next_rrset(zone, name, rrset))
        if (rrset->type == type)
            return true;
    return false;
}

bool zone_find_signatures(const struct zone *zone, uint32_t name, uint16_t type,
                          struct zone_rrset *signatures)
{
    struct zone_rrset all;
    uint32_t first, count = 0;

    *signatures = (struct zone_rrset){.type = TYPE_RRSIG};
    if (!zone_find_rrset(zone, name, TYPE_RRSIG, &all))
        return false;
    uint32_t end = all.first + all.count;
    for (first = all.first; first < end; first++)
        if (wire_read_u16(zone_record_at(zone, first)->rdata) == type)
            break;
    while (first + count < end && wire_read_u16(zone_record_at(zone, first + count)->rdata) == type)
        count++;
    signatures->first = first;
    signatures->count = count;
    return count > 0;
}

uint32_t zone_rrset_ttl(const struct zone *zone, const struct zone_rrset *rrset)
{
    uint32_t ttl = UINT32_MAX;

    for (uint32_t i = 0; i < rrset->count; i++) {
        uint32_t one = zone_record_at(zone, rrset->first + i)->ttl;
        if (one < ttl)
            ttl = one;
    }
    return ttl;
}

char *zone_name_text(const struct zone *zone, uint32_t name, char text[NAME_TEXT_MAX])
{
    struct name full;

    name_read(&full, zone->names[name].wire, zone->names[name].length);
    return name_to_text(&full, text);
}

#include "zone/piece.h"

#include "zone/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 1 << 16,
    AHEAD = 16, /* records: some microseconds' work */
};

/* Followed by the owner, in wire form, and the RDATA. */
struct piece_record {
    uint64_t hash; /* of the owner */
    uint32_t ttl;
    uint32_t line;
    uint16_t type;
    uint16_t length;
    uint16_t file;
    uint8_t owner_length; /* 0: the owner is that of the record before */
};

uint32_t piece_set_owner(struct piece *piece, const struct zone *zone, const struct name *owner)
{
    piece->owner = *owner;
    piece->owner_hash = zone_hash(zone, owner);
    piece->new_owner = true;
    return 0;
}

static uint8_t *make_room(struct piece *piece, size_t size)
{
    if (piece->room - piece->length < size) {
        piece->room = piece->room > 0 ? 2 * piece->room + size : FIRST_ROOM + size;
        piece->records = memory_resize(piece->records, piece->room);
    }
    return piece->records + piece->length;
}

void piece_add(struct piece *piece, const struct zone_record *record)
{
    const struct piece_record added = {
        .hash = piece->owner_hash,
        .ttl = record->ttl,
        .line = record->line,
        .type = record->type,
        .length = record->length,
        .file = record->file,
        .owner_length = piece->new_owner ? piece->owner.length : 0,
    };
    uint8_t *at = make_room(piece, sizeof added + added.owner_length + added.length);

    at = mempcpy(at, &added, sizeof added);
    at = mempcpy(at, piece->owner.octets, added.owner_length);
    at = mempcpy(at, record->rdata, added.length);
    piece->length = (size_t)(at - piece->records);
    piece->new_owner = false;
}

static uint32_t intern(struct zone *zone, const uint8_t *wire, size_t length)
{
    struct name name;
    size_t read = name_read(&name, wire, length);

    assert(read == length);
    (void)read;
    return zone_intern(zone, &name);
}

/* Goes ahead of the records that are moved, so that the memory they will need is there by then. */
struct scout {
    const uint8_t *at;
    const uint8_t *end;
};

static void advance(struct scout *scout, const struct zone *zone)
{
    struct piece_record record;

    if (scout->at == scout->end)
        return;
    memcpy(&record, scout->at, sizeof record);
    if (record.owner_length > 0)
        zone_prefetch(zone, record.hash);
    scout->at += sizeof record + record.owner_length + record.length;
}

uint32_t piece_move(const struct piece *piece, struct zone *zone, unsigned line, uint32_t owner)
{
    const uint8_t *at = piece->records;
    const uint8_t *end = at + piece->length;
    struct scout scout = {at, end};
    struct piece_record record;

    for (unsigned i = 0; i < AHEAD; i++)
        advance(&scout, zone);
    while (at < end) {
        advance(&scout, zone);
        memcpy(&record, at, sizeof record);
        at += sizeof record;
        if (record.owner_length > 0)
            owner = intern(zone, at, record.owner_length);
        at += record.owner_length;
        const struct zone_record added = {
            .rdata = at,
            .name = owner,
            .ttl = record.ttl,
            .line = line + record.line,
            .file = record.file,
            .type = record.type,
            .length = record.length,
        };
        zone_add(zone, &added);
        at += record.length;
    }
    /* Records that were left out may have come last. */
    return piece->new_owner ? zone_intern(zone, &piece->owner) : owner;
}

void piece_free(struct piece *piece)
{
    free(piece->records);
    findings_free(&piece->findings);
    *piece = (struct piece){0};
}

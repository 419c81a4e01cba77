/*
 * The records of a part of a master file, apart from the zone they belong to, and what is wrong
 * with them: read on one thread, added to the zone on another.
 */
#ifndef SORREL_ZONE_PIECE_H
#define SORREL_ZONE_PIECE_H

#include "zone/findings.h"
#include "zone/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
struct piece {
    uint8_t *records;
    size_t length;
    size_t room;
    struct name owner; /* of the records to come */
    uint64_t owner_hash;
    bool new_owner;    /* it has no record yet */
    struct findings findings;
    bool depends; /* on what stands before it, so that it cannot be read by itself */
};

/* The records to come are the name's, which is in the zone. Returns a number that is not
 * ZONE_NO_NAME. */
uint32_t piece_set_owner(struct piece *piece, const struct zone *zone, const struct name *owner);

/* Adds a record, whose `name` does not count. */
void piece_add(struct piece *piece, const struct zone_record *record);

/* Adds the records to the zone, in their order, their lines counted from `line` on. Returns the
 * owner of the last; `owner` if there is none. */
uint32_t piece_move(const struct piece *piece, struct zone *zone, unsigned line, uint32_t owner);

void piece_free(struct piece *piece);

#endif

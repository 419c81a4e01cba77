/*
 * RRsets -> fragments (message/fragment.h): RRs behind one another, names compressed against the
 * owner and each other, all pointers listed.
 */
#ifndef SORREL_ZONE_FRAGMENT_WRITER_H
#define SORREL_ZONE_FRAGMENT_WRITER_H

#include "message/fragment.h"
#include "message/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAGMENT_RRS_MAX = WIRE_MESSAGE_MAX / (WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE),
    /* As many as table_rrset can count; 65,535 octets of RRs with three pointers each have
     * 12,285. */
    FRAGMENT_POINTERS_MAX = 16383,
    /* A name that can be pointed at takes two octets at least. */
    FRAGMENT_KNOWN_MAX = FRAGMENT_TARGET_MAX / 2 + 1,
};

/* A suffix that stands somewhere in the fragment. */
struct fragment_known {
    const uint8_t *wire; /* uncompressed, in the record it comes from */
    uint32_t hash;
    uint16_t at;
    uint8_t length;
};

struct fragment_writer {
    struct name owner;
    uint8_t apex_length;
    bool wildcard;
    bool oversize;  /* more than fits into any message; then nothing else counts */
    uint16_t count; /* RRs */
    size_t limit;   /* octets that fit into a message */
    size_t length;
    size_t last_rr; /* where the RR just added begins */
    size_t pointer_count;
    size_t known_count;
    uint16_t pointers[FRAGMENT_POINTERS_MAX];
    struct fragment_known known[FRAGMENT_KNOWN_MAX];
    uint8_t octets[2 * WIRE_MESSAGE_MAX + 64];
};

/* `owner` and the octets of the zone's apex name. */
void fragment_writer_start(struct fragment_writer *writer, const uint8_t *owner,
                           unsigned owner_length, unsigned apex_length);

/* Empties the fragment, keeping the owner. */
void fragment_writer_restart(struct fragment_writer *writer);

/* Adds one RR with uncompressed RDATA. */
void fragment_writer_add(struct fragment_writer *writer, uint16_t type, uint32_t ttl,
                         const uint8_t *rdata, size_t length);

/* Adds an RR without listing its owner as a pointer: for runs that have no pointer list. `owner` is
 * a pointer. */
void fragment_writer_add_unlisted(struct fragment_writer *writer, uint16_t owner, uint16_t type,
                                  uint32_t ttl, const uint8_t *rdata, size_t length);

/* The pointer to the first name of the RDATA just added with fragment_writer_add(), which begins at
 * its octet `offset`; 0 if none can reach it, or it is the root. */
uint16_t fragment_writer_last_name(const struct fragment_writer *writer, size_t offset);

#endif

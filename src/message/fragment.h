/*
 * A fragment: an RRset in wire form, stored so that writing it into a response is a copy.
 *
 * Each RR stands complete: owner (always a pointer of two octets), TYPE, CLASS, TTL, RDLENGTH,
 * RDATA. All compression pointers hold the value that is right in the commonest place:
 *
 *     octet 0         12                12 + owner_length + 4
 *     +---------------+-----------------+--------------------------
 *     | header        | QNAME == owner  | the fragment
 *     +---------------+-----------------+--------------------------
 *
 * so for an exact hit nothing at all is to be patched. A pointer's value tells what it means:
 *
 *     0xC000 | 12                            the owner name itself
 *     0xC000 | 12 + k, 0 < k < owner_length  the owner's suffix that starts at octet k; always at
 *                                            or below the zone's apex, never the root (one octet 0
 *                                            is shorter). If the owner is a wildcard, only
 *                                            ancestors of it (k >= 2), for its `*` is replaced by
 *                                            other labels.
 *     0xC000 | 12 + owner_length + 4 + m     octet m of this fragment, where in RDATA a name
 *                                            stands that begins with a label, not a pointer; and,
 *                                            if the pointer is in RDATA, ends before its own name
 *
 * `pointers` lists where they stand (octets from the fragment's start, ascending): every RR's
 * owner, and pointers in RDATA. Only RDATA names of the types of RFC 1035 are compressed
 * (RFC 3597 §4): NS MD MF CNAME SOA MB MG MR PTR MINFO MX.
 *
 * Signatures (RRSIGs of the RRset) are a second run of RRs. Their only pointers are the owners.
 */
#ifndef SORREL_MESSAGE_FRAGMENT_H
#define SORREL_MESSAGE_FRAGMENT_H

#include "message/wire.h"

#include <stdint.h>

struct fragment {
    const uint8_t *octets;
    const uint16_t *pointers;
    uint16_t length; /* octets */
    uint16_t count;  /* RRs */
    uint16_t pointer_count;
    uint8_t owner_length; /* of the stored owner name, in full, the root's octet included */
};

enum {
    FRAGMENT_OWNER_POINTER = WIRE_POINTER_TAG | WIRE_HEADER_SIZE,
    /* QTYPE and QCLASS stand between QNAME and the first RR. */
    FRAGMENT_QUESTION_TAIL = 4,
    /* Targets within a fragment must be nameable wherever its owner's length puts them. */
    FRAGMENT_TARGET_MAX = WIRE_POINTER_MAX - WIRE_HEADER_SIZE - 255 - FRAGMENT_QUESTION_TAIL,
};

/* The pointer that stands for octet `m` of a fragment whose owner has `owner_length` octets. */
static inline uint16_t fragment_pointer_within(unsigned owner_length, unsigned m)
{
    return (uint16_t)(WIRE_POINTER_TAG |
                      (WIRE_HEADER_SIZE + owner_length + FRAGMENT_QUESTION_TAIL + m));
}

/* The pointer that stands for the owner's suffix from octet `k` on. */
static inline uint16_t fragment_pointer_suffix(unsigned k)
{
    return (uint16_t)(WIRE_POINTER_TAG | (WIRE_HEADER_SIZE + k));
}

/* TTL and RDLENGTH of the first RR. */
static inline uint32_t fragment_ttl(const struct fragment *fragment)
{
    return wire_read_u32(fragment->octets + WIRE_POINTER_SIZE + 4);
}

static inline uint16_t fragment_rdata_length(const struct fragment *fragment)
{
    return wire_read_u16(fragment->octets + WIRE_POINTER_SIZE + 8);
}

#endif

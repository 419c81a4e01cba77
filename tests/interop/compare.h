/*
 * A reply in a form in which order, compression and case no longer matter, and what differs between
 * two such.
 */
#ifndef SORREL_INTEROP_COMPARE_H
#define SORREL_INTEROP_COMPARE_H

#include "ask.h"

/* What can differ; the words KNOWN and the report use for them are in compare_parts_to_text(). */
enum part {
    PART_SILENCE = 1 << 0,    /* one replied, the other did not */
    PART_UNREADABLE = 1 << 1, /* ldns cannot decode one of them */
    PART_RCODE = 1 << 2,      /* the extended one */
    PART_FLAGS = 1 << 3,      /* QR, opcode, AA, RD, RA, Z, AD, CD */
    PART_TC = 1 << 4,
    PART_OPT = 1 << 5,        /* presence, version, DO */
    PART_QUESTION = 1 << 6,   /* present or not */
    PART_ANSWER = 1 << 7,
    PART_AUTHORITY = 1 << 8,
    PART_GLUE = 1 << 9,       /* in-domain glue of a referral; other additional data is optional */
    PART_TTL = 1 << 10,       /* the same records in answer and authority, but other TTLs */
};

struct record {
    uint8_t *octets; /* canonical: owner, type, class, RDATA; then the TTL */
    size_t length;   /* with the TTL's four */
};

struct section {
    struct record *items; /* sorted */
    size_t count;
};

enum { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

struct view {
    bool silent, unreadable;
    ldns_pkt *packet;         /* NULL if either of the above */
    uint16_t flags;           /* the header's second 16 bits less TC and RCODE */
    uint16_t rcode;
    bool truncated, edns, edns_dnssec_ok, question;
    uint8_t edns_version;
    struct section sections[SECTIONS];
};

void compare_read(struct view *view, const struct reply *reply);
void compare_free(struct view *view);

/* The parts (enum part) in which two replies to `query` differ. */
unsigned compare_views(const struct view *ours, const struct view *theirs,
                       const struct query *query, const struct zone_set *zones);

/* The same for odd messages: status, flags and shape, not the records. */
unsigned compare_headers(const struct view *ours, const struct view *theirs);

/* Space-separated words; `text` has room for all. */
enum { COMPARE_TEXT_MAX = 128 };
const char *compare_parts_to_text(unsigned parts, char text[COMPARE_TEXT_MAX]);
/* Words separated by commas; 0 if one is not known. */
unsigned compare_parts_from_text(const char *text);

#endif

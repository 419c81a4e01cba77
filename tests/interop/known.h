/*
 * tests/interop/KNOWN: differences that stay, each with its reason.
 *
 * One entry a line, five fields and the reason:
 *   ZONE  QNAME  QTYPE[,QTYPE]  PEER[,PEER]  PART[,PART]  reason, with the RFC's paragraph
 * ZONE and QNAME are patterns (fnmatch, lower case, final dot; a backslash is ordinary); QTYPE
 * `any-type` matches every type. For odd messages ZONE is `(odd)` and QNAME the message's title
 * with `_` for each space. PEER: those sorrel may differ from. PART: in what (compare.h).
 */
#ifndef SORREL_INTEROP_KNOWN_H
#define SORREL_INTEROP_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

struct known_entry {
    char *text; /* the line, in which the fields lie */
    char *zone, *qname, *qtypes, *peers, *reason;
    unsigned parts;
    int line;
    bool tried; /* its zones were asked about */
    size_t used;
};

struct known {
    struct known_entry *items;
    size_t count;
};

/* A difference found: what sorrel differs from one peer in. */
struct difference {
    const char *zone, *qname, *qtype, *peer;
    unsigned parts;
};

/* Prints what is wrong with the file and returns false if it cannot be used. */
bool known_read(struct known *known, const char *path);
void known_free(struct known *known);

/* Is there an entry for it? Notes that it was used. */
bool known_covers(struct known *known, const struct difference *difference);

/* Says that the zone was asked about: an entry for it that is not used by the end is not needed. */
void known_note_zone(struct known *known, const char *zone);

#endif

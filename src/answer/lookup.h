/*
 * The search of RFC 1034 §4.3.2 step 2 and 3, with RFC 4592 (wildcards) and RFC 6672 (DNAME): which
 * zone, which node, and what that means for the question.
 */
#ifndef SORREL_ANSWER_LOOKUP_H
#define SORREL_ANSWER_LOOKUP_H

#include "message/name.h"
#include "table/table.h"

#include <stdbool.h>
#include <stdint.h>

/* A name looked for, with the hash of each of its suffixes (table/hash.h). */
struct asked {
    struct name name;
    uint64_t hashes[NAME_LABELS_MAX + 1];
};

enum match_kind {
    MATCH_ANSWER,   /* the name exists and owns an RRset of the type asked for */
    MATCH_ALIAS,    /* it owns a CNAME RRset instead */
    MATCH_DNAME,    /* an ancestor of it owns a DNAME RRset */
    MATCH_NODATA,   /* it exists, without that type */
    MATCH_NXDOMAIN, /* it does not exist */
    MATCH_REFERRAL, /* it is at or below a zone cut */
};

struct match {
    enum match_kind kind;
    const struct table_section *zone;
    const struct table_node *node; /* where the answer comes from: the name's own, the source of
                                      synthesis (RFC 4592 §3.3.1), the DNAME's owner, the cut; else
                                      NULL */
    unsigned labels;               /* of the closest encloser: the longest suffix of the name that
                                      is a node (the name itself if it exists; the cut; the DNAME's
                                      owner) */
    bool synthesised;              /* `node` is a wildcard that the name was expanded from */
    struct rrset rrset;            /* ANSWER (unless asked for ANY or RRSIG): of the type; ALIAS:
                                      CNAME; DNAME: DNAME; REFERRAL: NS */
};

/* The zone that answers for a name and type: the closest at or above it. DS belongs to the parent
 * (RFC 4035 §3.1.4.1), which is preferred if that is served too. NULL if the name is in none. */
const struct table_section *lookup_zone(const struct table *table, const struct asked *asked,
                                        uint16_t qtype);

/* Is `zone` the closest to `name`? Needs no hash, and says false if a zone between them is not out
 * of the question. */
bool lookup_is_zone(const struct table *table, const struct table_section *zone,
                    const struct name *name);

/* Of a name, the longest suffix that is a node: if not the name itself, its closest encloser
 * (RFC 4592 §3.3.1). */
struct closest {
    const struct table_node *node;
    unsigned labels;
};

/* Finds it for `asked`, which lies in `zone`. */
struct closest lookup_search(const struct table_section *zone, const struct asked *asked);

/* What that means for a question in `zone`. */
void lookup_find(const struct table_section *zone, const struct asked *asked,
                 const struct closest *closest, uint16_t qtype, struct match *match);

/* Ask for the memory that lookup_zone() will read: first the slot of the directory; once that is
 * there, the section that it leads to. */
void lookup_prefetch_zone(const struct table *table, const struct asked *asked);
void lookup_prefetch_section(const struct table *table, const struct asked *asked);

/* The same for lookup_search(): first the slots of the name and of its parent; once those are
 * there, the node that one of them leads to. That is nearly always the one, and this remembers
 * it. */
struct guess {
    uint32_t ref;    /* 0: none */
    unsigned labels;
};

void lookup_prefetch_slots(const struct table_section *zone, const struct asked *asked);
struct guess lookup_guess(const struct table_section *zone, const struct asked *asked);

/* lookup_search(), with the guess that was made. */
static inline struct closest lookup_closest(const struct table_section *zone,
                                            const struct asked *asked, struct guess guess)
{
    const struct table_node *node = section_node(zone, guess.ref);

    /* No longer suffix than the one guessed at is a node: what is open is whether that one is. */
    if (guess.ref != 0 && node_has_name(zone, node, &asked->name, guess.labels))
        return (struct closest){node, guess.labels};
    return lookup_search(zone, asked);
}

#endif

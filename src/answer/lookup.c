#include "answer/lookup.h"

#include "message/codes.h"

enum { CACHE_LINE = 64 };

static const struct table_section *closest_zone(const struct table *table,
                                                const struct asked *asked, unsigned labels)
{
    unsigned deepest = labels < table->deepest_zone ? labels : table->deepest_zone;

    for (unsigned i = deepest + 1; i-- > 0;) {
        if (!table_has_depth(table, i))
            continue;
        const struct table_section *zone =
            table_find_zone(table, &asked->name, i, asked->hashes[i]);
        if (zone != NULL)
            return zone;
    }
    return NULL;
}

const struct table_section *lookup_zone(const struct table *table, const struct asked *asked,
                                        uint16_t qtype)
{
    unsigned labels = asked->name.labels;
    const struct table_section *zone = closest_zone(table, asked, labels);

    if (qtype != TYPE_DS || zone == NULL || zone->apex_labels != labels || labels == 0)
        return zone;
    const struct table_section *parent = closest_zone(table, asked, labels - 1);
    return parent != NULL ? parent : zone;
}

bool lookup_is_zone(const struct table *table, const struct table_section *zone,
                    const struct name *name)
{
    unsigned labels = name->labels;

    if (zone->apex_labels > labels || !section_has_apex(zone, name, zone->apex_labels))
        return false;
    if (labels > table->deepest_zone)
        labels = table->deepest_zone;
    while (labels > zone->apex_labels && !table_has_depth(table, labels))
        labels--;
    return labels == zone->apex_labels;
}

/* The depth at which the search for a zone begins. */
static unsigned first_depth(const struct table *table, const struct asked *asked)
{
    unsigned labels = asked->name.labels;

    if (labels > table->deepest_zone)
        return table->deepest_zone;
    while (labels > 0 && !table_has_depth(table, labels))
        labels--;
    return labels;
}

void lookup_prefetch_zone(const struct table *table, const struct asked *asked)
{
    uint64_t hash = asked->hashes[first_depth(table, asked)];

    __builtin_prefetch(table_first_slot(table, hash));
}

void lookup_prefetch_section(const struct table *table, const struct asked *asked)
{
    uint64_t hash = asked->hashes[first_depth(table, asked)];
    const uint8_t *section = (const void *)table_guess_zone(table, hash);

    if (section == NULL)
        return;
    __builtin_prefetch(section);
    __builtin_prefetch(section + CACHE_LINE);
}

/* Labels of the longest suffix of the name that can be a node. */
static unsigned longest_suffix(const struct table_section *zone, const struct asked *asked)
{
    unsigned deepest = (unsigned)zone->apex_labels + zone->deepest;

    return asked->name.labels < deepest ? asked->name.labels : deepest;
}

static void prefetch_slots(const struct table_section *zone, uint64_t hash)
{
    __builtin_prefetch(section_first_slot(zone, hash));
}

/* Most names that are not there are one label too long: hence the parent, here and in the next. */
void lookup_prefetch_slots(const struct table_section *zone, const struct asked *asked)
{
    unsigned labels = longest_suffix(zone, asked);

    prefetch_slots(zone, asked->hashes[labels]);
    if (labels > zone->apex_labels + 1u)
        prefetch_slots(zone, asked->hashes[labels - 1]);
}

struct guess lookup_guess(const struct table_section *zone, const struct asked *asked)
{
    unsigned labels = longest_suffix(zone, asked);
    uint32_t ref = section_guess_node(zone, asked->hashes[labels]);

    if (ref == 0 && labels > zone->apex_labels) {
        labels--;
        ref = labels == zone->apex_labels ? zone->apex
                                          : section_guess_node(zone, asked->hashes[labels]);
    }
    if (ref != 0) {
        const uint8_t *node = section_at(zone, ref);
        __builtin_prefetch(node);
        __builtin_prefetch(node + CACHE_LINE);
        /* A cut has its glue, a signed name its signatures. */
        if (labels != asked->name.labels || zone->flags & SECTION_SIGNED)
            __builtin_prefetch(node + 2 * CACHE_LINE);
    }
    return (struct guess){.ref = ref, .labels = labels};
}

/* Existence is closed upwards (layout.h), so the border between what exists and what does not is
 * found by bisection: labels of a name are the client's choice, and 127 of them must not cost 127
 * cache misses. */
struct closest lookup_search(const struct table_section *zone, const struct asked *asked)
{
    struct closest closest = {section_node(zone, zone->apex), zone->apex_labels};
    unsigned missing = longest_suffix(zone, asked) + 1;
    unsigned next = missing - 1;

    while (missing - closest.labels > 1) {
        const struct table_node *node =
            section_find_node(zone, &asked->name, next, asked->hashes[next]);
        if (node != NULL)
            closest = (struct closest){node, next};
        else
            missing = next;
        next = (closest.labels + missing) / 2;
    }
    return closest;
}

static bool has_signatures(const struct table_section *zone, const struct table_node *node)
{
    struct rrset_walk walk = node_rrsets(zone, node);
    struct rrset rrset;

    while (rrset_next(&walk, &rrset))
        if (rrset.signatures.count > 0)
            return true;
    return false;
}

static bool owns_type(const struct table_section *zone, const struct table_node *node,
                      uint16_t qtype, struct rrset *rrset)
{
    if (qtype == TYPE_ANY)
        return node->rrset_count > 0;
    if (qtype == TYPE_RRSIG)
        return has_signatures(zone, node);
    return node_find_rrset(zone, node, qtype, rrset);
}

/* Sets the match for a node that the name exists at or is synthesised from (§4.3.2 step 3a and
 * 3c). */
static void match_node(struct match *match, const struct table_node *node, uint16_t qtype)
{
    match->node = node;
    /* NS at a wildcard does not delegate the names that it is expanded to (RFC 4592 §4.2). */
    if (node->flags & NODE_CUT && qtype != TYPE_DS && !match->synthesised) {
        match->kind = MATCH_REFERRAL;
        node_find_rrset(match->zone, node, TYPE_NS, &match->rrset);
    } else if (owns_type(match->zone, node, qtype, &match->rrset)) {
        match->kind = MATCH_ANSWER;
    } else if (node->flags & NODE_CNAME && qtype != TYPE_NSEC && qtype != TYPE_RRSIG) {
        /* Those two may stand beside a CNAME, so their absence is an answer (RFC 4035 §2.5). */
        match->kind = MATCH_ALIAS;
        node_find_rrset(match->zone, node, TYPE_CNAME, &match->rrset);
    } else {
        match->kind = MATCH_NODATA;
    }
}

/* The name does not exist; its closest encloser decides. */
static void match_encloser(struct match *match, const struct asked *asked,
                           const struct table_node *encloser, uint16_t qtype)
{
    const struct table_node *wildcard = NULL;

    if (encloser->flags & NODE_CUT) {
        match->kind = MATCH_REFERRAL;
        match->node = encloser;
        node_find_rrset(match->zone, encloser, TYPE_NS, &match->rrset);
        return;
    }
    if (encloser->flags & NODE_DNAME) {
        match->kind = MATCH_DNAME;
        match->node = encloser;
        node_find_rrset(match->zone, encloser, TYPE_DNAME, &match->rrset);
        return;
    }
    if (encloser->flags & NODE_WILDCARD_CHILD)
        wildcard = section_find_wildcard(match->zone, encloser, asked->hashes[match->labels]);
    if (wildcard == NULL) {
        match->kind = MATCH_NXDOMAIN;
        return;
    }
    match->synthesised = true;
    match_node(match, wildcard, qtype);
}

void lookup_find(const struct table_section *zone, const struct asked *asked,
                 const struct closest *closest, uint16_t qtype, struct match *match)
{
    match->zone = zone;
    match->node = NULL;
    match->labels = closest->labels;
    match->synthesised = false;
    if (closest->labels == asked->name.labels)
        match_node(match, closest->node, qtype);
    else
        match_encloser(match, asked, closest->node, qtype);
}

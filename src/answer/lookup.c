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

/* A name below the closest encloser is the commonest that is not there: hence the parent. */
static bool has_parent_in(const struct table_section *zone, const struct asked *asked)
{
    return asked->name.labels > zone->apex_labels + 1;
}

/* The slots of a search may go on into the next cache line. */
static void prefetch_slots(const struct table_section *zone, uint64_t hash)
{
    const struct table_slot *slot = section_first_slot(zone, hash);

    __builtin_prefetch(slot);
    __builtin_prefetch(slot + 3);
}

void lookup_prefetch_slots(const struct table_section *zone, const struct asked *asked)
{
    unsigned labels = asked->name.labels;

    prefetch_slots(zone, asked->hashes[labels]);
    if (has_parent_in(zone, asked))
        prefetch_slots(zone, asked->hashes[labels - 1]);
}

uint32_t lookup_guess_node(const struct table_section *zone, const struct asked *asked)
{
    unsigned labels = asked->name.labels;
    uint32_t guess = section_guess_node(zone, asked->hashes[labels]);
    uint32_t likely = guess;

    if (guess == 0 && has_parent_in(zone, asked))
        likely = section_guess_node(zone, asked->hashes[labels - 1]);
    if (likely != 0) {
        const uint8_t *node = section_at(zone, likely);
        __builtin_prefetch(node);
        __builtin_prefetch(node + CACHE_LINE);
    }
    return guess;
}

/* The closest encloser of a name that is not a node. Existence is closed upwards (layout.h), so the
 * border between what exists and what does not is found by bisection: labels of a name are the
 * client's choice, and 127 of them must not cost 127 cache misses. */
static const struct table_node *find_encloser(const struct table_section *zone,
                                              const struct asked *asked, unsigned *labels)
{
    const struct table_node *encloser = section_node(zone, zone->apex);
    unsigned exists = zone->apex_labels;
    unsigned missing = asked->name.labels;

    if (missing > exists + zone->deepest + 1u)
        missing = exists + zone->deepest + 1u;
    while (missing - exists > 1) {
        unsigned middle = (exists + missing) / 2;
        const struct table_node *node =
            section_find_node(zone, &asked->name, middle, asked->hashes[middle]);
        if (node != NULL) {
            encloser = node;
            exists = middle;
        } else {
            missing = middle;
        }
    }
    *labels = exists;
    return encloser;
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

const struct table_node *lookup_node(const struct table_section *zone, const struct asked *asked)
{
    unsigned labels = asked->name.labels;

    if (labels - zone->apex_labels > zone->deepest)
        return NULL;
    return section_find_node(zone, &asked->name, labels, asked->hashes[labels]);
}

void lookup_find(const struct table_section *zone, const struct asked *asked,
                 const struct table_node *node, uint16_t qtype, struct match *match)
{
    match->zone = zone;
    match->node = NULL;
    match->labels = asked->name.labels;
    match->synthesised = false;
    if (node != NULL) {
        match_node(match, node, qtype);
    } else {
        node = find_encloser(zone, asked, &match->labels);
        match_encloser(match, asked, node, qtype);
    }
}

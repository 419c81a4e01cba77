#include "answer/denial.h"

#include "answer/nsec.h"
#include "answer/nsec3.h"
#include "message/codes.h"
#include "table/hash.h"

#include <assert.h>
#include <string.h>

void denial_begin(struct denial *denial, struct response *response)
{
    denial->response = response;
    denial->written = 0;
}

void denial_enter(struct denial *denial, const struct table_section *zone, const struct name *name,
                  uint32_t owner)
{
    denial->zone = zone;
    denial->name = name;
    denial->owner = owner;
}

static bool is_written(const struct denial *denial, const struct table_node *node)
{
    for (unsigned i = 0; i < denial->written; i++)
        if (denial->nodes[i] == node)
            return true;
    return false;
}

/* Finds the labels of the node's owner; returns how many there are. */
static unsigned find_labels(const struct table_node *node, uint8_t offset[NAME_LABELS_MAX])
{
    const uint8_t *owner = node_owner(node);
    unsigned labels = 0;

    for (unsigned at = 0; at < node->owner_length; at += 1u + owner[at])
        offset[labels++] = (uint8_t)at;
    return labels;
}

/* Where the node's owner name stands, or how to write it: its last labels, as far as they are those
 * of the name the proof is about, by a pointer there. */
static struct place place_of_node(const struct denial *denial, const struct table_node *node)
{
    const struct table_section *zone = denial->zone;
    const struct name *name = denial->name;
    const uint8_t *owner = node_owner(node);
    uint8_t offset[NAME_LABELS_MAX];
    unsigned labels = find_labels(node, offset);
    unsigned below_apex = (unsigned)name->labels - zone->apex_labels;
    unsigned shared = 0;

    for (; shared < labels && shared < below_apex; shared++) {
        const uint8_t *label = owner + offset[labels - 1 - shared];
        if (memcmp(label, name_suffix(name, below_apex - 1 - shared), 1u + label[0]) != 0)
            break;
    }
    unsigned first = below_apex - shared;
    uint32_t suffix = first == name->labels ? 0
                                            : response_suffix(denial->response, denial->owner,
                                                              name->offset[first]);
    unsigned length = shared == 0 ? node->owner_length : offset[labels - shared];
    struct place place = {.labels = owner,
                          .labels_length = (uint8_t)length,
                          .apex = suffix,
                          .apex_name = section_apex_name(zone),
                          .apex_length = zone->apex_length};
    if (shared == labels)
        place.owner = suffix;
    return place;
}

/* Adds the RRset of `type` (NSEC or NSEC3) that the node owns, with its signatures. */
static bool put_proof(struct denial *denial, const struct table_node *node, uint16_t type)
{
    const struct table_section *zone = denial->zone;
    struct place place = place_of_node(denial, node);
    struct rrset rrset;

    if (is_written(denial, node))
        return true;
    if (!node_find_rrset(zone, node, type, &rrset) || rrset.oversize)
        return false;
    assert(denial->written < sizeof denial->nodes / sizeof denial->nodes[0]);
    denial->nodes[denial->written++] = node;
    return response_put(denial->response, SECTION_AUTHORITY, &rrset.rrs, &rrset.signatures,
                        &place);
}

/* --- NSEC (RFC 4035 §3.1.3) ------------------------------------------------------------------ */

static bool put_nsec(struct denial *denial, const struct name *name)
{
    return put_proof(denial, section_node(denial->zone, nsec_find(denial->zone, name)), TYPE_NSEC);
}

/* The name `*` directly below the suffix of `name` with `labels` labels. Where that is longer than
 * a name may be, no such wildcard can exist and there is nothing to deny: false. */
static bool make_wildcard(const struct name *name, unsigned labels, struct name *wildcard)
{
    unsigned first = (unsigned)name->labels - labels;
    uint8_t wire[NAME_OCTETS_MAX] = {1, '*'};
    size_t length = name_suffix_length(name, first);

    if (length + 2 > sizeof wire)
        return false;
    memcpy(wire + 2, name_suffix(name, first), length);
    return name_read(wildcard, wire, length + 2) != 0;
}

static bool put_nsec_of_wildcard(struct denial *denial, const struct asked *asked,
                                 unsigned encloser_labels)
{
    struct name wildcard;

    return !make_wildcard(&asked->name, encloser_labels, &wildcard) ||
           put_nsec(denial, &wildcard);
}

/* --- NSEC3 (RFC 5155 §7.2) ------------------------------------------------------------------- */

static bool put_nsec3(struct denial *denial, uint32_t ref)
{
    return ref == 0 || put_proof(denial, section_node(denial->zone, ref), TYPE_NSEC3);
}

static const struct table_proofs *proofs_of(const struct denial *denial,
                                            const struct asked *asked, unsigned labels)
{
    const struct table_node *node =
        section_find_node(denial->zone, &asked->name, labels, asked->hashes[labels]);

    return node != NULL ? node_proofs(node) : NULL;
}

/* The NSEC3 RR that covers the name's suffix with `labels` labels: the compiler knows it for names
 * that exist (insecure delegations under opt-out); others are hashed here. */
static uint32_t find_cover(const struct denial *denial, const struct asked *asked,
                           unsigned labels)
{
    const struct table_proofs *proofs = proofs_of(denial, asked, labels);
    unsigned first = (unsigned)asked->name.labels - labels;
    uint8_t hash[NSEC3_HASH_SIZE];

    if (proofs != NULL)
        return proofs->cover;
    nsec3_hash(denial->zone, name_suffix(&asked->name, first),
               name_suffix_length(&asked->name, first), hash);
    return nsec3_find(denial->zone, hash);
}

/* §7.2.1: the RR that matches the closest provable encloser, at or above `*labels`, and the RR that
 * covers the next closer name. Sets `*labels` to that encloser's. */
static bool put_closest_encloser(struct denial *denial, const struct asked *asked,
                                 unsigned *labels)
{
    const struct table_proofs *proofs = proofs_of(denial, asked, *labels);

    while (*labels > denial->zone->apex_labels && (proofs == NULL || proofs->match == 0))
        proofs = proofs_of(denial, asked, --*labels);
    return proofs == NULL || (put_nsec3(denial, proofs->match) &&
                              (*labels == asked->name.labels ||
                               put_nsec3(denial, find_cover(denial, asked, *labels + 1))));
}

/* The RR that matches or covers the name `*` directly below the suffix with `labels` labels. */
static bool put_nsec3_of_wildcard(struct denial *denial, const struct asked *asked,
                                  unsigned labels)
{
    const struct table_section *zone = denial->zone;
    const struct table_node *encloser =
        section_find_node(zone, &asked->name, labels, asked->hashes[labels]);
    const struct table_proofs *proofs = encloser != NULL ? node_proofs(encloser) : NULL;

    if (proofs == NULL || proofs->cover != 0)
        return proofs == NULL || put_nsec3(denial, proofs->cover);
    const struct table_node *wildcard =
        section_find_wildcard(zone, encloser, asked->hashes[labels]);
    proofs = wildcard != NULL ? node_proofs(wildcard) : NULL;
    return proofs == NULL || put_nsec3(denial, proofs->match != 0 ? proofs->match : proofs->cover);
}

/* §7.2.3 and §7.2.4: the matching RR; without one (opt-out), that the closest provable encloser's
 * span is opted out. */
static bool put_nsec3_nodata(struct denial *denial, const struct asked *asked,
                             const struct table_node *node, unsigned labels)
{
    const struct table_proofs *proofs = node_proofs(node);

    if (proofs != NULL && proofs->match != 0)
        return put_nsec3(denial, proofs->match);
    return put_closest_encloser(denial, asked, &labels);
}

/* --- proofs ---------------------------------------------------------------------------------- */

bool denial_prove_nodata(struct denial *denial, const struct asked *asked,
                         const struct match *match)
{
    if (denial->zone->nsec3_count > 0)
        return put_nsec3_nodata(denial, asked, match->node, match->labels);
    if (denial->zone->nsec_count > 0)
        return put_nsec(denial, &asked->name);
    return true;
}

/* What a name that does not exist needs, whether or not a wildcard matches it: no closer name than
 * the encloser's, and what there is of the wildcard. */
static bool put_absence(struct denial *denial, const struct asked *asked, unsigned labels)
{
    if (denial->zone->nsec3_count > 0)
        return put_closest_encloser(denial, asked, &labels) &&
               put_nsec3_of_wildcard(denial, asked, labels);
    if (denial->zone->nsec_count > 0)
        return put_nsec(denial, &asked->name) && put_nsec_of_wildcard(denial, asked, labels);
    return true;
}

bool denial_prove_nxdomain(struct denial *denial, const struct asked *asked,
                           const struct match *match)
{
    return put_absence(denial, asked, match->labels);
}

bool denial_prove_wildcard_nodata(struct denial *denial, const struct asked *asked,
                                  const struct match *match)
{
    return put_absence(denial, asked, match->labels);
}

bool denial_prove_wildcard(struct denial *denial, const struct asked *asked,
                           unsigned encloser_labels)
{
    if (denial->zone->nsec3_count > 0)
        return put_nsec3(denial, find_cover(denial, asked, encloser_labels + 1));
    if (denial->zone->nsec_count > 0)
        return put_nsec(denial, &asked->name);
    return true;
}

bool denial_prove_no_ds(struct denial *denial, const struct asked *asked,
                        const struct match *match)
{
    if (denial->zone->nsec3_count > 0)
        return put_nsec3_nodata(denial, asked, match->node, match->labels);
    if (denial->zone->nsec_count > 0) {
        struct name cut;
        node_name(denial->zone, match->node, &cut);
        return put_nsec(denial, &cut);
    }
    return true;
}
